// FerretDB speaks MongoDB's protocol over SQLite. Its own command cannot be installed by its module's name.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Where FerretDB itself listens: in the folder of the server.
const behind = "ferretdb.sock"

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "where clients connect")
	data := flag.String("data", "data", "the folder of its files")
	version := flag.Bool("version", false, "tell the version and end")
	flag.Parse()
	if *version {
		fmt.Println("FerretDB v1.24.2")
		return
	}
	if err := serve(*listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(listen, data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	// Of one that was killed.
	if err := os.Remove(behind); err != nil && !os.IsNotExist(err) {
		return err
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: behind},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Handler:   "sqlite",
		SQLiteURL: "file:" + data + "/",
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go takeTurns(listener)
	return server.Run(ctx)
}

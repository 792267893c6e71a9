package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// FerretDB finds what an update matches and changes it in two steps: two clients that change the same document on a condition would
// both be told that they did. In MongoDB one of them does. So commands that change something take turns.
var turn sync.Mutex

const (
	headLength = 16
	// What MongoDB allows.
	longest   = 48_000_000
	opMessage = 2013
	// The flag of a message that is not answered.
	moreToCome = 2
)

var changing = map[string]bool{"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true}

func takeTurns(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go carry(client)
	}
}

// A client's next message is read when the last one is answered: drivers send no sooner.
func carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", behind)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		message, err := read(client)
		if err != nil {
			return
		}
		if pass(message, client, server) != nil {
			return
		}
	}
}

func pass(message []byte, client, server net.Conn) error {
	command, answered := look(message)
	if changing[command] {
		turn.Lock()
		defer turn.Unlock()
	}
	if _, err := server.Write(message); err != nil || !answered {
		return err
	}
	answer, err := read(server)
	if err != nil {
		return err
	}
	_, err = client.Write(answer)
	return err
}

func read(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(size[:])
	if length < headLength || length > longest {
		return nil, errors.New("not a message of MongoDB's protocol")
	}
	message := make([]byte, length)
	copy(message, size[:])
	_, err := io.ReadFull(from, message[4:])
	return message, err
}

// The command, which is the name of the first field of the first section, and whether an answer comes.
func look(message []byte) (command string, answered bool) {
	const section = headLength + 4
	const name = section + 1 + 4 + 1
	if len(message) <= name || binary.LittleEndian.Uint32(message[12:]) != opMessage {
		return "", true
	}
	answered = binary.LittleEndian.Uint32(message[headLength:])&moreToCome == 0
	if message[section] != 0 {
		// The command comes after its documents: only what changes something has documents.
		return "insert", answered
	}
	end := bytes.IndexByte(message[name:], 0)
	if end < 0 {
		return "", answered
	}
	return string(message[name : name+end]), answered
}

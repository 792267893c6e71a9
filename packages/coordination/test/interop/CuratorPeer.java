import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Comparator;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.retry.RetryOneTime;

/** Contends with Apache Curator's recipes, as it is told over standard input; see peer.ts. */
public class CuratorPeer {
  /** A way of holding something. Acquiring gives the path of the node that stands for it. */
  interface Recipe {
    String acquire() throws Exception;

    void release() throws Exception;
  }

  /** Curator's lock, with what it calls its node. */
  static class Mutex extends InterProcessMutex {
    Mutex(String path) {
      super(client, path);
    }

    String node() {
      return getLockPath();
    }
  }

  static CuratorFramework client;
  static String name;
  static volatile boolean stopped;
  static GroupMember member;

  public static void main(String[] args) throws Exception {
    client = CuratorFrameworkFactory.newClient(args[0], 10000, 10000, new RetryOneTime(100));
    name = args[1];
    client.start();
    client.blockUntilConnected();
    say("ready");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "clock" -> say(String.valueOf(clock()));
        case "stop" -> stopped = true;
        case "hold" -> begin(() -> hold(words[1]));
        case "join" -> {
          member = new GroupMember(client, words[1], name);
          member.start();
          say("joined");
        }
        case "members" -> say(String.join(",", new TreeSet<>(member.getCurrentMembers().keySet())));
        case "revoke" -> {
          Revoker.attemptRevoke(client, first(words[1]));
          say("asked");
        }
        default -> begin(() -> contend(recipe(words[0], words[1]), words[0], words[1]));
      }
    }
    System.exit(0);
  }

  interface Work {
    void run() throws Exception;
  }

  static void begin(Work work) {
    stopped = false;
    Thread thread = new Thread(() -> {
      try {
        work.run();
        say("stopped");
      } catch (Exception error) {
        error.printStackTrace();
        System.exit(1);
      }
    });
    thread.start();
  }

  static Recipe recipe(String what, String path) {
    InterProcessReadWriteLock both = new InterProcessReadWriteLock(client, path);
    return switch (what) {
      case "lock", "alien" -> new Recipe() {
        final Mutex mutex = new Mutex(path);

        public String acquire() throws Exception {
          mutex.acquire();
          return mutex.node();
        }

        public void release() throws Exception {
          mutex.release();
        }
      };
      case "write" -> new Recipe() {
        public String acquire() throws Exception {
          both.writeLock().acquire();
          // Whoever holds it alone is the first of all.
          return first(path);
        }

        public void release() throws Exception {
          both.writeLock().release();
        }
      };
      case "read" -> new Recipe() {
        public String acquire() throws Exception {
          both.readLock().acquire();
          return both.readLock().getLockPath();
        }

        public void release() throws Exception {
          both.readLock().release();
        }
      };
      case "permit" -> new Recipe() {
        final InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, path, 2);
        Lease lease;

        public String acquire() throws Exception {
          lease = semaphore.acquire();
          return path + "/leases/" + lease.getNodeName();
        }

        public void release() {
          semaphore.returnLease(lease);
        }
      };
      default -> new Recipe() {
        LeaderLatch latch;

        public String acquire() throws Exception {
          latch = new LeaderLatch(client, path, name);
          latch.start();
          latch.await();
          return latch.getOurPath();
        }

        public void release() throws Exception {
          latch.close();
        }
      };
    };
  }

  /** Holds it again and again. Each time it counts one on (where others may hold it too it only looks), in a way that loses a count when others do so too. */
  static void contend(Recipe recipe, String what, String path) throws Exception {
    String counter = path + "-counter";
    boolean shared = what.equals("read") || what.equals("permit");
    while (!stopped) {
      String node = recipe.acquire();
      double at = clock();
      long token = client.checkExists().forPath(node).getCzxid();
      record("held", at, path, token);
      int count = Integer.parseInt(new String(client.getData().forPath(counter)));
      if (!shared) client.setData().forPath(counter, String.valueOf(count + 1).getBytes());
      record("released", clock(), path, token);
      recipe.release();
    }
  }

  /** Holds a lock until somebody asks for it. */
  static void hold(String path) throws Exception {
    InterProcessMutex mutex = new InterProcessMutex(client, path);
    CountDownLatch asked = new CountDownLatch(1);
    mutex.makeRevocable(forLock -> asked.countDown());
    mutex.acquire();
    say("holds");
    asked.await();
    mutex.release();
  }

  static String first(String path) throws Exception {
    String child = client.getChildren().forPath(path).stream()
        .min(Comparator.comparing(each -> each.substring(each.length() - 10)))
        .orElseThrow();
    return path + "/" + child;
  }

  /** CLOCK_MONOTONIC in milliseconds, as in the histories of Node. */
  static double clock() {
    return System.nanoTime() / 1e6;
  }

  static void record(String type, double at, String lease, long token) {
    say("{\"type\":\"" + type + "\",\"at\":" + at + ",\"process\":\"" + name + "\",\"lease\":\"" + lease
        + "\",\"token\":{\"$bigint\":\"" + token + "\"}}");
  }

  static synchronized void say(String line) {
    System.out.println(line);
  }
}

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;

/**
 * Does the tasks that come in over standard input with what Curator's GroupMember is made of; see tasks.ts. Not with
 * GroupMember itself: each watches the whole group, and ten thousand of them in a few processes would not fit.
 */
public class CuratorGroup {
  static final byte[] DATA = "x".repeat(100).getBytes();
  static final List<CuratorFramework> sessions = new ArrayList<>();
  static final Queue<PersistentNode> nodes = new ConcurrentLinkedQueue<>();
  static final Semaphore created = new Semaphore(0);
  static final Semaphore deleted = new Semaphore(0);
  static String url;

  public static void main(String[] arguments) throws Exception {
    url = arguments[0];
    System.out.println("{}");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) System.out.println(perform(line));
    System.exit(0);
  }

  static String perform(String line) throws Exception {
    Matcher path = Pattern.compile("\"path\":\"([^\"]+)\"").matcher(line);
    String where = path.find() ? path.group(1) : "";
    if (line.contains("\"join\"")) return join(where, number(line, "members"), number(line, "sessions"));
    if (line.contains("\"watch\"")) return watch(where, number(line, "members"));
    if (line.contains("\"hear\"")) return hear(where, number(line, "count"));
    // Ahead of their sessions: a node that is there when its client closes wants to come back, and neither ends.
    together(100, () -> {
      for (PersistentNode node = nodes.poll(); node != null; node = nodes.poll()) node.close();
    });
    for (CuratorFramework client : sessions) client.close();
    sessions.clear();
    return "{}";
  }

  interface Work {
    void run() throws Exception;
  }

  static void together(int count, Work work) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int index = 0; index < count; index += 1) {
      threads.add(new Thread(() -> {
        try {
          work.run();
        } catch (Exception error) {
          error.printStackTrace();
          System.exit(1);
        }
      }));
    }
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) thread.join();
  }

  static CuratorFramework connect() throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.newClient(url, 10000, 10000, new RetryOneTime(100));
    client.start();
    client.blockUntilConnected();
    return client;
  }

  static PersistentNode member(CuratorFramework client, String path) throws Exception {
    PersistentNode node = new PersistentNode(client, CreateMode.EPHEMERAL, false, path, DATA);
    node.start();
    if (!node.waitForInitialCreate(60, TimeUnit.SECONDS)) throw new IllegalStateException(path + " was not created");
    return node;
  }

  static String join(String path, int members, int from) throws Exception {
    for (int index = 0; index < from; index += 1) sessions.add(connect());
    AtomicInteger next = new AtomicInteger();
    long begin = System.nanoTime();
    together(100, () -> {
      for (int own = next.getAndIncrement(); own < members; own = next.getAndIncrement()) {
        nodes.add(member(sessions.get(own % from), path + "/member-" + own));
      }
    });
    return "{\"seconds\":" + since(begin) + "}";
  }

  static String watch(String path, int members) throws Exception {
    CuratorFramework client = connect();
    // An empty one at first, so that what is loaded along the way is not counted.
    try (CuratorCache empty = CuratorCache.build(client, path + "-warm")) {
      empty.start();
      while (empty.size() < 1) Thread.sleep(1);
    }
    long before = liveBytes();
    long begin = System.nanoTime();
    CuratorCache cache = CuratorCache.build(client, path);
    cache.start();
    // With the group itself.
    while (cache.size() < members + 1) Thread.sleep(1);
    double seconds = since(begin);
    long bytes = liveBytes() - before;
    cache.listenable().addListener(CuratorCacheListener.builder()
        .forCreates(node -> created.release()).forDeletes(node -> deleted.release()).build());
    return "{\"seconds\":" + seconds + ",\"bytes\":" + bytes + "}";
  }

  static String hear(String path, int count) throws Exception {
    CuratorFramework client = connect();
    double[] times = new double[count];
    for (int index = 0; index < count; index += 1) {
      long begin = System.nanoTime();
      PersistentNode node = member(client, path + "/newcomer-" + index);
      created.acquire();
      times[index] = since(begin) * 1e6;
      node.close();
      deleted.acquire();
    }
    client.close();
    Arrays.sort(times);
    return "{\"p50\":" + times[count / 2] + ",\"p99\":" + times[(int) (count * 0.99)] + "}";
  }

  static double since(long begin) {
    return (System.nanoTime() - begin) / 1e9;
  }

  static long liveBytes() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  static int number(String line, String key) {
    Matcher found = Pattern.compile("\"" + key + "\":(\\d+)").matcher(line);
    return found.find() ? Integer.parseInt(found.group(1)) : 0;
  }
}

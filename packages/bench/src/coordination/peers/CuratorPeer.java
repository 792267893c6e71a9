import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;

/** Does the tasks that come in over standard input with Apache Curator; see tasks.ts. */
public class CuratorPeer {
  interface Work {
    void run() throws Exception;
  }

  static final List<CuratorFramework> sessions = new ArrayList<>();
  static String url;
  static Contest contest;
  static final CountDownLatch deposed = new CountDownLatch(1);
  static volatile double deposedAt;

  public static void main(String[] arguments) throws Exception {
    url = arguments[0];
    System.out.println("{}");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) System.out.println(perform(line));
    System.exit(0);
  }

  static String perform(String line) throws Exception {
    String path = text(line, "path");
    int count = number(line, "count");
    switch (text(line, "task")) {
      case "open":
        for (CuratorFramework client : sessions) client.close();
        sessions.clear();
        for (int index = number(line, "sessions"); index > 0; index -= 1) sessions.add(connect(number(line, "timeout")));
        for (CuratorFramework client : sessions) client.blockUntilConnected();
        return "{}";
      case "trips":
        return timed(count, () -> sessions.get(0).setData().forPath("/", new byte[0]));
      case "cycles": {
        InterProcessMutex mutex = new InterProcessMutex(sessions.get(0), path);
        return timed(count, () -> {
          mutex.acquire();
          mutex.release();
        });
      }
      case "contend":
        return contend(path, count);
      case "stand": {
        int candidates = number(line, "candidates");
        double begin = clock();
        contest = new Contest(path, candidates);
        contest.leads.await();
        while (sessions.get(0).getChildren().forPath(path).size() < candidates) Thread.sleep(10);
        return "{\"seconds\":" + (clock() - begin) / 1000 + "}";
      }
      case "resign":
        return contest.resign(count);
      case "withdraw":
        contest.withdraw();
        return "{}";
      case "campaign":
        return campaign(path);
      default:
        deposed.await();
        return "{\"at\":" + deposedAt + "}";
    }
  }

  static CuratorFramework connect(int timeout) {
    CuratorFramework client = CuratorFrameworkFactory.newClient(url, timeout, timeout, new RetryOneTime(100));
    client.start();
    return client;
  }

  /** Handovers among holders of one process: how long each took, and whether two held at once. */
  static class Handovers {
    private final List<Double> times = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger holding;
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicInteger overlaps = new AtomicInteger();
    private final double begin = clock();
    private volatile double released = Double.NaN;

    Handovers(int holders) {
      holding = new AtomicInteger(holders);
    }

    void took() {
      double time = clock() - released;
      held.incrementAndGet();
      if (holding.incrementAndGet() > 1) overlaps.incrementAndGet();
      if (!Double.isNaN(time)) times.add(time);
    }

    void release() {
      holding.decrementAndGet();
      released = clock();
    }

    String answer() {
      double seconds = (clock() - begin) / 1000;
      return "{" + quantiles(times) + ",\"seconds\":" + seconds + ",\"held\":" + held + ",\"overlaps\":" + overlaps + "}";
    }
  }

  static String contend(String path, int count) throws Exception {
    Handovers handovers = new Handovers(0);
    AtomicInteger left = new AtomicInteger(count);
    List<Thread> threads = together(sessions.size(), index -> quietly(() -> {
      InterProcessMutex mutex = new InterProcessMutex(sessions.get(index), path);
      while (left.get() > 0) {
        mutex.acquire();
        left.decrementAndGet();
        handovers.took();
        handovers.release();
        mutex.release();
      }
    }));
    for (Thread thread : threads) thread.join();
    return handovers.answer();
  }

  /** Candidates that stand until they are withdrawn. Each leader resigns while there are resignations left. */
  static class Contest {
    final CountDownLatch leads = new CountDownLatch(1);
    private final Semaphore resigns = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);
    private final List<Thread> threads;
    private volatile Handovers handovers = new Handovers(0);
    private volatile int left;
    private volatile boolean over;

    Contest(String path, int candidates) {
      threads = together(candidates, index -> quietly(() -> stand(path, index)));
    }

    void stand(String path, int index) throws Exception {
      while (!over) {
        try (LeaderLatch latch = new LeaderLatch(sessions.get(index % sessions.size()), path, "candidate-" + index)) {
          latch.start();
          try {
            latch.await();
          } catch (InterruptedException withdrawn) {
            return;
          }
          handovers.took();
          leads.countDown();
          if (left == 0) {
            done.release();
            resigns.acquireUninterruptibly();
          }
          left -= 1;
          handovers.release();
        }
      }
    }

    String resign(int count) {
      done.drainPermits();
      handovers = new Handovers(1);
      left = count;
      resigns.release();
      done.acquireUninterruptibly();
      return handovers.answer();
    }

    void withdraw() throws Exception {
      over = true;
      for (Thread thread : threads) thread.interrupt();
      resigns.release(threads.size());
      for (Thread thread : threads) thread.join();
    }
  }

  static String campaign(String path) throws Exception {
    LeaderLatch latch = new LeaderLatch(sessions.get(0), path, "leader");
    latch.addListener(new LeaderLatchListener() {
      public void isLeader() {}

      public void notLeader() {
        deposedAt = clock();
        deposed.countDown();
      }
    });
    latch.start();
    latch.await();
    return "{\"at\":" + clock() + "}";
  }

  static List<Thread> together(int count, IntConsumer work) {
    List<Thread> threads = new ArrayList<>();
    for (int index = 0; index < count; index += 1) {
      int own = index;
      threads.add(new Thread(() -> work.accept(own)));
    }
    for (Thread thread : threads) thread.start();
    return threads;
  }

  static void quietly(Work work) {
    try {
      work.run();
    } catch (Exception error) {
      error.printStackTrace();
      System.exit(1);
    }
  }

  static String timed(int count, Work work) throws Exception {
    List<Double> times = new ArrayList<>();
    double begin = clock();
    for (int index = 0; index < count; index += 1) {
      double from = clock();
      work.run();
      times.add(clock() - from);
    }
    return "{" + quantiles(times) + ",\"seconds\":" + (clock() - begin) / 1000 + "}";
  }

  static String quantiles(List<Double> milliseconds) {
    List<Double> sorted = new ArrayList<>(milliseconds);
    Collections.sort(sorted);
    return "\"p50\":" + at(sorted, 0.5) + ",\"p99\":" + at(sorted, 0.99);
  }

  static double at(List<Double> sorted, double share) {
    return sorted.isEmpty() ? 0 : sorted.get((int) (sorted.size() * share)) * 1000;
  }

  /** CLOCK_MONOTONIC in milliseconds, as of the other peers. */
  static double clock() {
    return System.nanoTime() / 1e6;
  }

  static String text(String line, String key) {
    Matcher found = Pattern.compile("\"" + key + "\":\"([^\"]+)\"").matcher(line);
    return found.find() ? found.group(1) : "";
  }

  static int number(String line, String key) {
    Matcher found = Pattern.compile("\"" + key + "\":(\\d+)").matcher(line);
    return found.find() ? Integer.parseInt(found.group(1)) : 0;
  }
}

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

/** Does the tasks that come in over standard input with the official client; see tasks.ts. */
public class OfficialPeer {
    static final byte[] DATA = "x".repeat(100).getBytes();
    static String url;

    interface Call { void run() throws Exception; }

    interface AsyncCall { void run(Runnable done) throws Exception; }

    public static void main(String[] arguments) throws Exception {
        url = arguments[0];
        ZooKeeper client = connect();
        try {
            client.create("/bench", DATA, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        } catch (KeeperException.NodeExistsException already) {
            // Another peer has made it.
        }
        String folder = "/bench/" + ProcessHandle.current().pid();
        client.create(folder, DATA, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        System.out.println("{}");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            System.out.println(perform(text(line, "task"), number(line, "count"), number(line, "inFlight"), client, folder));
        }
        client.close();
    }

    static String perform(String task, int count, int inFlight, ZooKeeper client, String folder) throws Exception {
        switch (task) {
            case "get":
                if (inFlight == 1) return oneByOne(count, () -> client.getData(folder, false, null));
                return pipelined(count, inFlight, done -> client.getData(folder, false, (code, path, context, data, stat) -> done.run(), null));
            case "set":
                if (inFlight == 1) return oneByOne(count, () -> client.setData(folder, DATA, -1));
                return pipelined(count, inFlight, done -> client.setData(folder, DATA, -1, (code, path, context, stat) -> done.run(), null));
            case "createDelete":
                return oneByOne(count, () -> {
                    client.create(folder + "/n", DATA, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                    client.delete(folder + "/n", -1);
                });
            case "watches":
                return watches(count, client, folder);
            case "watchMemory": {
                delete(placeWatches(1, client, folder, event -> { }), client);
                long before = liveBytes();
                List<String> paths = placeWatches(count, client, folder, event -> { });
                long grown = liveBytes() - before;
                delete(paths, client);
                return "{\"bytes\":" + grown / count + "}";
            }
            default: {
                connect().close();
                long before = liveBytes();
                List<ZooKeeper> clients = new ArrayList<>();
                for (int index = 0; index < count; index += 1) clients.add(connect());
                long grown = liveBytes() - before;
                for (ZooKeeper each : clients) each.close();
                return "{\"bytes\":" + grown / count + "}";
            }
        }
    }

    static ZooKeeper connect() throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper client = new ZooKeeper(url, 20_000, event -> connected.countDown());
        connected.await();
        return client;
    }

    static String oneByOne(int count, Call call) throws Exception {
        double[] times = new double[count];
        long cpu = cpu();
        long begin = System.nanoTime();
        for (int index = 0; index < count; index += 1) {
            long sent = System.nanoTime();
            call.run();
            times[index] = (System.nanoTime() - sent) / 1e3;
        }
        return answer((System.nanoTime() - begin) / 1e9, times, cpu() - cpu);
    }

    static String pipelined(int count, int inFlight, AsyncCall call) throws Exception {
        double[] times = new double[count];
        Semaphore window = new Semaphore(inFlight);
        AtomicInteger answered = new AtomicInteger();
        long cpu = cpu();
        long begin = System.nanoTime();
        for (int index = 0; index < count; index += 1) {
            window.acquire();
            long sent = System.nanoTime();
            call.run(() -> {
                times[answered.getAndIncrement()] = (System.nanoTime() - sent) / 1e3;
                window.release();
            });
        }
        window.acquire(inFlight);
        return answer((System.nanoTime() - begin) / 1e9, times, cpu() - cpu);
    }

    static String watches(int count, ZooKeeper client, String folder) throws Exception {
        ZooKeeper other = connect();
        CountDownLatch left = new CountDownLatch(count);
        List<String> paths = placeWatches(count, client, folder, event -> left.countDown());
        long begin = System.nanoTime();
        Semaphore set = new Semaphore(0);
        for (String path : paths) other.setData(path, DATA, -1, (code, where, context, stat) -> set.release(), null);
        set.acquire(count);
        left.await();
        double seconds = (System.nanoTime() - begin) / 1e9;
        delete(paths, client);
        other.close();
        return "{\"seconds\":" + seconds + "}";
    }

    static List<String> placeWatches(int count, ZooKeeper client, String folder, Watcher watcher) throws Exception {
        List<String> paths = new ArrayList<>();
        for (int index = 0; index < count; index += 1) paths.add(folder + "/w" + index);
        Semaphore done = new Semaphore(0);
        for (String path : paths) client.create(path, DATA, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, (code, where, context, name) -> done.release(), null);
        done.acquire(count);
        for (String path : paths) client.getData(path, watcher, (code, where, context, data, stat) -> done.release(), null);
        done.acquire(count);
        return paths;
    }

    static void delete(List<String> paths, ZooKeeper client) throws Exception {
        Semaphore done = new Semaphore(0);
        for (String path : paths) client.delete(path, -1, (code, where, context) -> done.release(), null);
        done.acquire(paths.size());
    }

    static String answer(double seconds, double[] times, long cpuNanoseconds) {
        Arrays.sort(times);
        return "{\"seconds\":" + seconds + ",\"p50\":" + times[times.length / 2] + ",\"p99\":" + times[(int) (times.length * 0.99)]
            + ",\"cpuMicroseconds\":" + cpuNanoseconds / 1e3 + "}";
    }

    static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    static long liveBytes() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    static String text(String line, String key) {
        Matcher found = Pattern.compile("\"" + key + "\":\"(\\w+)\"").matcher(line);
        return found.find() ? found.group(1) : "";
    }

    static int number(String line, String key) {
        Matcher found = Pattern.compile("\"" + key + "\":(\\d+)").matcher(line);
        return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }
}

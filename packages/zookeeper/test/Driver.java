import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;

/** Does with the official client what it reads, one operation a line, and answers with a number a line: 0 or the error. */
public class Driver {
  public static void main(String[] args) throws Exception {
    ZooKeeper zk = new ZooKeeper(args[0], 10000, event -> {});
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    List<Op> transaction = null;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split("\t", -1);
      int result = 0;
      try {
        if (words[0].equals("begin")) transaction = new ArrayList<>();
        else if (words[0].equals("commit")) {
          List<Op> ops = transaction;
          transaction = null;
          zk.multi(ops);
        } else if (transaction != null) transaction.add(op(words));
        else zk.multi(List.of(op(words)));
      } catch (KeeperException error) {
        result = error.code().intValue();
      }
      System.out.println(result);
    }
    zk.close();
  }

  private static Op op(String[] words) {
    switch (words[0]) {
      case "create":
        return Op.create(words[1], words[2].getBytes(), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.valueOf(words[3]));
      case "set":
        return Op.setData(words[1], words[2].getBytes(), Integer.parseInt(words[3]));
      case "delete":
        return Op.delete(words[1], Integer.parseInt(words[3]));
      default:
        return Op.check(words[1], Integer.parseInt(words[3]));
    }
  }
}

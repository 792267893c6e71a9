// Starts DynamoDB Local on loopback alone: left to itself it listens on every address of the machine, and it has no option
// for that. Rhino runs this in the server's Java machine; the arguments are DynamoDB Local's own.
const runner = Packages.com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
// biome-ignore lint/complexity/noArguments: so Rhino hands the program its arguments.
const proxy = runner.createServerFromCommandLineArgs(arguments);
const jetty = proxy.getClass().getDeclaredField('server');
jetty.setAccessible(true);
jetty.get(proxy).getConnectors()[0].setHost('127.0.0.1');
proxy.start();
proxy.join();

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.apache.kafka.common.utils.Exit;

/**
 * Runs scripts of Kafka's command-line tools in this one process, because starting a JVM for each
 * command would take a minute.
 *
 * Usage: Tools HOST:PORT SCRIPT..., in the directory that the scripts' files are written to. It
 * prints each script with what the commands say now. A script has lines of these kinds:
 *
 *   # words              kept
 *   == NAME              kept: the start of a script
 *   $ [sorted] TOOL ARGS a command; an argument with blanks stands in single quotes; "sorted" tells
 *                        the reader that its lines come in any order
 *   &lt; TEXT               a line of its input
 *
 * and everything else is what a command said before, which is dropped.
 */
public final class Tools {
    private static final Map<String, String> CLASSES = Map.ofEntries(
        Map.entry("broker-api-versions", "org.apache.kafka.tools.BrokerApiVersionsCommand"),
        Map.entry("client-metrics", "org.apache.kafka.tools.ClientMetricsCommand"),
        Map.entry("cluster", "org.apache.kafka.tools.ClusterTool"),
        Map.entry("configs", "kafka.admin.ConfigCommand"),
        Map.entry("console-consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
        Map.entry("console-producer", "org.apache.kafka.tools.ConsoleProducer"),
        Map.entry("consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
        Map.entry("consumer-perf-test", "org.apache.kafka.tools.ConsumerPerformance"),
        Map.entry("delete-records", "org.apache.kafka.tools.DeleteRecordsCommand"),
        Map.entry("features", "org.apache.kafka.tools.FeatureCommand"),
        Map.entry("get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
        Map.entry("groups", "org.apache.kafka.tools.GroupsCommand"),
        Map.entry("leader-election", "org.apache.kafka.tools.LeaderElectionCommand"),
        Map.entry("log-dirs", "org.apache.kafka.tools.LogDirsCommand"),
        Map.entry("metadata-quorum", "org.apache.kafka.tools.MetadataQuorumCommand"),
        Map.entry("producer-perf-test", "org.apache.kafka.tools.ProducerPerformance"),
        Map.entry("reassign-partitions", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"),
        Map.entry("streams-application-reset", "org.apache.kafka.tools.StreamsResetter"),
        Map.entry("topics", "org.apache.kafka.tools.TopicCommand"),
        Map.entry("transactions", "org.apache.kafka.tools.TransactionsCommand"));

    /** Tools that want the broker's address before what they are to do. */
    private static final List<String> ADDRESS_FIRST = List.of("features", "metadata-quorum", "transactions");

    /** How long a command may take. */
    private static final int SECONDS = 60;

    private final String bootstrap;
    private final Members members;
    private final Producers producers;
    private final PrintStream out = System.out;

    private Tools(String bootstrap) {
        this.bootstrap = bootstrap;
        this.members = new Members(bootstrap);
        this.producers = new Producers(bootstrap);
    }

    public static void main(String[] args) throws Exception {
        var tools = new Tools(args[0]);
        for (int i = 1; i < args.length; i++) {
            tools.script(Files.readAllLines(Path.of(args[i])));
        }
        tools.members.stopAll();
        tools.out.flush();
        Runtime.getRuntime().halt(0); // a tool that hangs keeps its thread
    }

    private void script(List<String> lines) throws Exception {
        for (int i = 0; i < lines.size(); ) {
            String line = lines.get(i++);
            if (line.startsWith("#") || line.startsWith("== ")) {
                out.println(line);
            }
            if (!line.startsWith("$ ")) {
                continue;
            }
            out.println(line);
            var input = new StringBuilder();
            for (; i < lines.size() && lines.get(i).startsWith("< "); i++) {
                out.println(lines.get(i));
                input.append(lines.get(i).substring(2)).append('\n');
            }
            var began = System.nanoTime();
            List<String> words = words(line.substring(2));
            if (words.get(0).equals("sorted")) {
                words = words.subList(1, words.size());
            }
            inLines(command(words, input.toString())).lines().filter(Tools::kept).forEach(out::println);
            if (System.getenv("KLAMM_TIMES") != null) {
                out.printf("(%d ms)%n", (System.nanoTime() - began) / 1_000_000);
            }
            out.println();
        }
    }

    /** Blank lines and the lines of a stack trace say nothing about the broker. */
    private static boolean kept(String line) {
        return !line.isBlank() && !line.startsWith("\tat ") && !line.startsWith("\t... ");
    }

    /** The formatters of internal topics write one record behind the other. */
    private static String inLines(String said) {
        return said.replace("}{\"key\"", "}\n{\"key\"").replaceAll("}(Processed|ERROR) ", "}\n$1 ");
    }

    /** Splits a command line at blanks that are not within single quotes. */
    private static List<String> words(String line) {
        var found = new ArrayList<String>();
        var word = new StringBuilder();
        boolean quoted = false;
        for (char c : (line + " ").toCharArray()) {
            if (c == '\'') {
                quoted = !quoted;
            } else if (c != ' ' || quoted) {
                word.append(c);
            } else if (word.length() > 0) {
                found.add(word.toString());
                word.setLength(0);
            }
        }
        return found;
    }

    /** Runs a command and returns what it printed. */
    private String command(List<String> words, String input) throws Exception {
        String tool = words.get(0);
        List<String> args = new ArrayList<>(words.subList(1, words.size()));
        switch (tool) {
            case "file":
                Files.writeString(Path.of(args.get(0)), input);
                return "";
            case "member":
                return members.command(args);
            case "producer":
                return producers.command(args);
            default:
                args.addAll(ADDRESS_FIRST.contains(tool) ? 0 : args.size(), List.of("--bootstrap-server", bootstrap));
                return run(CLASSES.get(tool), args.toArray(String[]::new), input);
        }
    }

    /** Runs a class's main and returns what it printed, with its exit status if that is not 0. */
    private String run(String className, String[] args, String input) throws Exception {
        var main = Class.forName(className).getMethod("main", String[].class);
        var captured = new Captured();
        var print = new PrintStream(captured, true, StandardCharsets.UTF_8);
        Exit.Procedure exit = (status, message) -> {
            captured.exit(status, message);
            throw new Exited();
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        var hooks = new ArrayList<Runnable>(); // the console producer sends the last records in one
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        System.setOut(print);
        System.setErr(print);
        var task = new FutureTask<>(() -> {
            try {
                return main.invoke(null, (Object) args);
            } finally {
                hooks.forEach(Runnable::run);
            }
        });
        var thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            captured.exit(-1, "has not ended after " + SECONDS + " s");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() instanceof InvocationTargetException i ? i.getCause() : e.getCause();
            if (!(cause instanceof Exited)) {
                captured.exit(1, cause.toString()); // what the JVM does, less the stack
            }
        }
        System.setOut(out);
        return captured.text();
    }

    /** Stands in for the end of the process. An Error, so that few tools catch it. */
    private static final class Exited extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** What a command prints until it exits. */
    private static final class Captured extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private boolean exited;

        @Override
        public synchronized void write(int b) {
            if (!exited) {
                bytes.write(b);
            }
        }

        @Override
        public synchronized void write(byte[] b, int from, int length) {
            if (!exited) {
                bytes.write(b, from, length);
            }
        }

        synchronized void exit(int status, String message) {
            if (!exited && (status != 0 || message != null)) {
                String end = "(exit " + status + (message == null ? "" : ": " + message) + ")";
                bytes.writeBytes(("\n" + end + "\n").getBytes(StandardCharsets.UTF_8));
            }
            exited = true;
        }

        synchronized String text() {
            return bytes.toString(StandardCharsets.UTF_8);
        }
    }
}

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntToLongFunction;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's Java client in the scenario that all clients run: members share four partitions, one
 * crashes, the others take over where it committed; static members come back. Then its Admin.
 * Usage: Client HOST:PORT.
 */
public final class Client {
    private static final int PARTITIONS = 4;

    private final String bootstrap;
    private final String assignor;
    private final String topic;
    private final List<String> said = new ArrayList<>();

    private Client(String bootstrap, String assignor) {
        this.bootstrap = bootstrap;
        this.assignor = assignor;
        this.topic = "shared-" + assignor;
    }

    public static void main(String[] args) throws Exception {
        var complaints = new ByteArrayOutputStream(); // what the client logs, from warnings on
        System.setErr(new PrintStream(complaints, true, StandardCharsets.UTF_8));
        var threads = Executors.newCachedThreadPool();
        var runs = new LinkedHashMap<String, Future<List<String>>>();
        for (String assignor : List.of("Range", "RoundRobin", "Sticky", "CooperativeSticky")) {
            var client = new Client(args[0], assignor);
            runs.put("$ " + assignor + "Assignor: a crash", threads.submit(client::crash));
            var statics = new Client(args[0], assignor);
            runs.put("$ " + assignor + "Assignor: static members", threads.submit(statics::comeBack));
        }
        System.out.println("== client");
        for (var run : runs.entrySet()) {
            System.out.println(run.getKey());
            run.getValue().get().forEach(System.out::println);
        }
        new AdminCalls(args[0]).run();
        System.out.println("$ sorted warnings");
        System.out.print(complaints.toString(StandardCharsets.UTF_8));
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private List<String> crash() throws Exception {
        String topic = newTopic("crash");
        var ledger = new Ledger();
        var members = start(ledger, topic, "team-" + assignor, false);
        said.add(ledger.awaitShares(1, 1, 2));
        produce(topic, 0, 50);
        said.add(ledger.awaitReads(50, PARTITIONS));
        String busy = ledger.busiest();
        int unfinished = ledger.of(busy).first();
        for (Member m : members.values()) {
            m.commit(ledger.of(m.name), p -> p == unfinished ? 30 : 50);
        }
        ledger.forget(busy);
        members.remove(busy).end(CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP);
        said.add("the busiest member crashes");
        said.add(ledger.awaitShares(2, 2));
        produce(topic, 50, 100);
        said.add(ledger.awaitReads(100, PARTITIONS));
        said.add(ledger.again());

        var second = new Ledger();
        var other = new Member(second, "D", topic, "second-" + assignor, Map.of());
        said.add("a second group: " + second.awaitReads(100, PARTITIONS) + ", " + second.again());
        other.commit(second.of("D"), p -> 10 + p);
        String leaver = members.keySet().iterator().next();
        ledger.forget(leaver);
        members.remove(leaver).end(CloseOptions.GroupMembershipOperation.LEAVE_GROUP);
        said.add("one leaves: " + ledger.awaitShares(4));
        for (Member m : members.values()) {
            m.commit(ledger.of(m.name), p -> 100);
        }
        said.add("committed: " + committed("team-" + assignor) + ", by the second group: " + committed("second-" + assignor));
        for (Member m : members.values()) {
            m.end(CloseOptions.GroupMembershipOperation.DEFAULT);
        }
        other.end(CloseOptions.GroupMembershipOperation.DEFAULT);
        remove(topic, "team-" + assignor, "second-" + assignor);
        return said;
    }

    private List<String> comeBack() throws Exception {
        String topic = newTopic("static");
        var ledger = new Ledger();
        var members = start(ledger, topic, "fixed-" + assignor, true);
        said.add(ledger.awaitShares(1, 1, 2));
        produce(topic, 0, 20);
        said.add(ledger.awaitReads(20, PARTITIONS));
        for (Member m : members.values()) {
            m.commit(ledger.of(m.name), p -> 20);
        }
        String busy = ledger.busiest();
        var had = List.copyOf(ledger.of(busy));
        int generation = ledger.generation(busy);
        ledger.forget(busy);
        members.remove(busy).end(CloseOptions.GroupMembershipOperation.DEFAULT);
        members.put(busy, new Member(ledger, busy, topic, "fixed-" + assignor, Map.of("group.instance.id", "instance-" + busy)));
        said.add("the busiest comes back: " + ledger.awaitShares(1, 1, 2));
        said.add("its partitions " + (had.equals(List.copyOf(ledger.of(busy))) ? "are" : "are not") + " the same, its generation "
            + (generation == ledger.generation(busy) ? "is" : "is not"));
        produce(topic, 20, 40);
        said.add(ledger.awaitReads(40, PARTITIONS));
        said.add(ledger.again());
        for (Member m : members.values()) {
            m.end(CloseOptions.GroupMembershipOperation.LEAVE_GROUP);
        }
        remove(topic, "fixed-" + assignor);
        return said;
    }

    private String newTopic(String kind) throws Exception {
        String name = topic + "-" + kind;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(name, PARTITIONS, (short) 1))).all().get();
        }
        return name;
    }

    private void remove(String topic, String... groups) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.deleteConsumerGroups(List.of(groups)).all().get();
            admin.deleteTopics(List.of(topic)).all().get();
        }
    }

    private Map<String, Member> start(Ledger ledger, String topic, String group, boolean fixed) {
        var members = new LinkedHashMap<String, Member>();
        for (String name : List.of("A", "B", "C")) {
            members.put(name, new Member(ledger, name, topic, group, fixed ? Map.of("group.instance.id", "instance-" + name) : Map.of()));
        }
        return members;
    }

    private void produce(String topic, long from, long to) throws Exception {
        var config = Map.<String, Object>of("bootstrap.servers", bootstrap, "client.id", "producer-" + assignor);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (long offset = from; offset < to; offset++) {
                for (int p = 0; p < PARTITIONS; p++) {
                    producer.send(new ProducerRecord<>(topic, p, null, p + "/" + offset));
                }
            }
        }
    }

    private String committed(String group) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            var offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            return offsets.values().stream().map(OffsetAndMetadata::offset).sorted().toList().toString();
        }
    }

    /** One consumer in a thread of its own. */
    private final class Member implements ConsumerRebalanceListener {
        private final Ledger ledger;
        private final String name;
        private final String topic;
        private final KafkaConsumer<String, String> consumer;
        private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
        private final CompletableFuture<Void> ended = new CompletableFuture<>();
        private CloseOptions.GroupMembershipOperation end; // set by a task

        Member(Ledger ledger, String name, String topic, String group, Map<String, Object> extra) {
            this.ledger = ledger;
            this.name = name;
            this.topic = topic;
            var config = new HashMap<String, Object>(extra);
            config.put("bootstrap.servers", bootstrap);
            config.put("client.id", group + "-" + name);
            config.put("group.id", group);
            config.put("group.protocol", "classic");
            config.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor + "Assignor");
            config.put("auto.offset.reset", "earliest");
            config.put("enable.auto.commit", false);
            config.put("heartbeat.interval.ms", 100);
            config.put("session.timeout.ms", 6000);
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            new Thread(this::run, group + "-" + name).start();
        }

        private void run() {
            consumer.subscribe(List.of(topic), this);
            while (end == null) {
                for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(100))) {
                    ledger.read(name, r.partition(), r.offset(), r.value());
                }
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                    task.run();
                }
            }
            consumer.close(CloseOptions.groupMembershipOperation(end));
            ended.complete(null);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> added) {
            ledger.assigned(name, consumer.groupMetadata().generationId(), added, consumer.assignment().size());
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> taken) {
            if (end == null) {
                ledger.gone(name, taken);
            }
        }

        void commit(Collection<Integer> partitions, IntToLongFunction offset) throws Exception {
            var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
            partitions.forEach(p -> offsets.put(new TopicPartition(topic, p), new OffsetAndMetadata(offset.applyAsLong(p))));
            perform(() -> {
                consumer.commitSync(offsets);
                return null;
            });
        }

        void end(CloseOptions.GroupMembershipOperation how) throws Exception {
            tasks.add(() -> end = how);
            ended.get();
        }

        private void perform(Callable<Void> what) throws Exception {
            var done = new CompletableFuture<Void>();
            tasks.add(() -> {
                try {
                    done.complete(what.call());
                } catch (Exception e) {
                    done.completeExceptionally(e);
                }
            });
            done.get();
        }
    }
}

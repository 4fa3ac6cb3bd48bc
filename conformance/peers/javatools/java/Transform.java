import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Reads a topic as a member of a group and writes what it makes of each record to another one,
 * batch by batch, each in a transaction that has the offsets in it.
 * Usage: Transform HOST:PORT CLIENT-ID begin|again|end.
 *
 * "begin" fills the input. After some transactions its producer is abandoned in the middle of one,
 * and another one takes over in the same process. "begin" and "again" then stop in the middle of
 * a transaction, say READY, and wait to be killed. "end" transforms what is left and looks at the
 * output.
 */
public final class Transform {
    private static final String INPUT = "input";
    private static final String OUTPUT = "output";
    private static final int PARTITIONS = 4;
    private static final int EACH = 2500; // records of each partition
    private static final int TRANSACTIONS = 3; // before a crash

    private final String bootstrap;
    private final String clientId;
    private KafkaProducer<String, String> producer;
    private KafkaConsumer<String, String> consumer;

    private Transform(String bootstrap, String clientId) {
        this.bootstrap = bootstrap;
        this.clientId = clientId;
    }

    public static void main(String[] args) throws Exception {
        var transform = new Transform(args[0], args[1]);
        switch (args[2]) {
            case "begin":
                transform.fill();
                transform.start();
                transform.abandon();
                transform.untilKilled();
                break;
            case "again":
                transform.start();
                transform.untilKilled();
                break;
            default:
                transform.start();
                transform.toTheEnd();
                transform.look("read_committed");
                transform.look("read_uncommitted");
        }
    }

    private void fill() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(INPUT, PARTITIONS, (short) 1), new NewTopic(OUTPUT, PARTITIONS, (short) 1))).all().get();
        }
        try (var filler = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < EACH; i++) {
                for (int p = 0; p < PARTITIONS; p++) {
                    filler.send(new ProducerRecord<>(INPUT, p, null, p + "/" + i));
                }
            }
        }
    }

    /** Fences whoever had the transactional id before, and joins the group. */
    private void start() {
        producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap, "client.id", clientId, "transactional.id", "transformer"),
            new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        var config = config("read_committed");
        config.put("client.id", clientId);
        config.put("group.id", "transformers");
        config.put("auto.offset.reset", "earliest");
        config.put("session.timeout.ms", 6000);
        config.put("heartbeat.interval.ms", 500);
        consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(List.of(INPUT));
    }

    private Map<String, Object> config(String isolation) {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", false, "isolation.level", isolation));
    }

    /** Leaves a transaction open, lets another producer take over, and tries to commit it then. */
    private void abandon() {
        for (int i = 0; i < TRANSACTIONS; i++) {
            transact(poll());
            producer.commitTransaction();
        }
        transact(poll());
        var zombie = producer;
        consumer.close();
        start();
        try {
            zombie.commitTransaction();
            System.out.println("the commit of a fenced producer is accepted");
        } catch (KafkaException e) {
            System.out.println("the commit of a fenced producer: " + e.getClass().getSimpleName());
        }
    }

    private void untilKilled() throws Exception {
        for (int i = 0; i < TRANSACTIONS; i++) {
            transact(poll());
            producer.commitTransaction();
        }
        transact(poll());
        System.out.println("READY");
        Thread.currentThread().join(); // for ever
    }

    private void toTheEnd() {
        while (consumer.assignment().size() < PARTITIONS || consumer.assignment().stream().anyMatch(p -> consumer.position(p) < EACH)) {
            var batch = consumer.poll(Duration.ofSeconds(1));
            if (!batch.isEmpty()) {
                transact(batch);
                producer.commitTransaction();
            }
        }
        consumer.close();
        producer.close();
    }

    private ConsumerRecords<String, String> poll() {
        while (true) {
            ConsumerRecords<String, String> batch = consumer.poll(Duration.ofSeconds(1));
            if (!batch.isEmpty()) {
                return batch;
            }
        }
    }

    /** Does all of a transaction but its end: everything that belongs to it has reached the broker. */
    private void transact(ConsumerRecords<String, String> batch) {
        producer.beginTransaction();
        var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
        for (ConsumerRecord<String, String> r : batch) {
            producer.send(new ProducerRecord<>(OUTPUT, null, "out " + r.value()));
            offsets.put(new TopicPartition(r.topic(), r.partition()), new OffsetAndMetadata(r.offset() + 1));
        }
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        producer.flush();
    }

    /** Reads the output to its end and says how often each record of the input is in it. */
    private void look(String isolation) {
        var counts = new TreeMap<String, Integer>();
        for (int i = 0; i < EACH; i++) {
            for (int p = 0; p < PARTITIONS; p++) {
                counts.put("out " + p + "/" + i, 0);
            }
        }
        try (var reader = new KafkaConsumer<>(config(isolation), new StringDeserializer(), new StringDeserializer())) {
            var partitions = new ArrayList<TopicPartition>();
            for (int p = 0; p < PARTITIONS; p++) {
                partitions.add(new TopicPartition(OUTPUT, p));
            }
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            var ends = reader.endOffsets(partitions);
            while (partitions.stream().anyMatch(p -> reader.position(p) < ends.get(p))) {
                reader.poll(Duration.ofSeconds(1)).forEach(r -> counts.merge(r.value(), 1, Integer::sum));
            }
        }
        long once = counts.values().stream().filter(n -> n == 1).count();
        var more = counts.entrySet().stream().filter(e -> e.getValue() != 1).limit(5).toList();
        if (isolation.equals("read_committed")) {
            System.out.println(isolation + ": " + once + " records are there once, of " + counts.size() + (more.isEmpty() ? "" : "; not so: " + more));
        } else { // how many depends on what each poll returned
            System.out.println(isolation + ": some are there more than once: " + !more.isEmpty());
        }
    }
}

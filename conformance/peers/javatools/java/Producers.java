import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Transactional producers, so that the tools have something to show. */
final class Producers {
    private final String bootstrap;
    private final Map<String, KafkaProducer<String, String>> running = new HashMap<>();

    Producers(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /**
     * "init TRANSACTIONAL-ID [CONFIG=VALUE...]" makes a producer and has it initialised. "begin ID",
     * "commit ID" and "abort ID" begin and end a transaction. "send ID TOPIC PARTITION VALUE..." and
     * "offsets ID GROUP TOPIC PARTITION OFFSET" do what belongs to it, and return when the broker has it.
     */
    String command(List<String> args) {
        String id = args.get(1);
        try {
            if (args.get(0).equals("init")) {
                running.put(id, start(id, args.subList(2, args.size())));
            }
            act(running.get(id), args.get(0), args.subList(2, args.size()));
            return "";
        } catch (KafkaException e) {
            return e.toString();
        }
    }

    private KafkaProducer<String, String> start(String id, List<String> configs) {
        var config = new HashMap<String, Object>(Map.of("bootstrap.servers", bootstrap, "client.id", id, "transactional.id", id));
        for (String c : configs) {
            String[] pair = c.split("=", 2);
            config.put(pair[0], pair[1]);
        }
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private void act(KafkaProducer<String, String> producer, String action, List<String> args) {
        switch (action) {
            case "init":
                producer.initTransactions();
                break;
            case "begin":
                producer.beginTransaction();
                break;
            case "send":
                for (String value : args.subList(2, args.size())) {
                    producer.send(new ProducerRecord<>(args.get(0), Integer.valueOf(args.get(1)), null, value));
                }
                producer.flush();
                break;
            case "offsets":
                producer.sendOffsetsToTransaction(
                    Map.of(new TopicPartition(args.get(1), Integer.parseInt(args.get(2))), new OffsetAndMetadata(Long.parseLong(args.get(3)))),
                    nobodyOf(args.get(0)));
                break;
            case "commit":
                producer.commitTransaction();
                break;
            case "abort":
                producer.abortTransaction();
                break;
            default:
                throw new IllegalArgumentException(action);
        }
    }

    /** What a consumer says of the group that has not joined it. */
    private ConsumerGroupMetadata nobodyOf(String group) {
        var config = Map.<String, Object>of("bootstrap.servers", bootstrap, "group.id", group);
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            return consumer.groupMetadata();
        }
    }
}

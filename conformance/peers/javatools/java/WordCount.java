import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;

/**
 * Kafka Streams counts words, exactly once, with two threads and state stores in each partition.
 * It joins the words with a table of their kinds, too, and counts each kind by the minute.
 * Usage: WordCount HOST:PORT STATE-DIRECTORY begin|end.
 *
 * "begin" has the first half of the text counted and then stops in the middle of a transaction of
 * the second half, says READY, and waits to be killed. "end" counts what is left. Nothing is
 * cached, so that each word, and each minute of a kind, has to come with the counts 1, 2, 3 and so
 * on, each of them once.
 */
public final class WordCount {
    private static final String APPLICATION = "word-count";
    private static final String TEXT = "text";
    private static final String KINDS = "kinds";
    private static final String COUNTS = "counts";
    private static final String MINUTES = "minutes";
    private static final int PARTITIONS = 2;
    private static final int LINES = 1000; // of each half, a hundred of them a minute
    private static final int WORDS = 3; // of a line
    private static final int VOCABULARY = 100;

    private final long time = Instant.now().minus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.MINUTES).toEpochMilli(); // of the first line
    private final String bootstrap;
    private final AtomicInteger gate = new AtomicInteger(); // counts until a thread stops; 0 is never
    private final CompletableFuture<String> stopped = new CompletableFuture<>(); // at this count

    private WordCount(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        var count = new WordCount(args[0]);
        boolean begin = args[2].equals("begin");
        if (begin) {
            count.createTopics();
            count.write(0);
        }
        try (var streams = new KafkaStreams(count.topology(), count.config(args[1]))) {
            streams.start();
            if (begin) {
                count.untilKilled();
            }
            for (String topic : List.of(COUNTS, MINUTES)) {
                count.read(topic, "read_committed", (reader, counts) -> counts.size() >= 2 * LINES * WORDS);
            }
        }
        count.report(COUNTS);
        count.report(MINUTES);
        var all = count.read(COUNTS, "read_uncommitted", WordCount::atEnd);
        System.out.println("read_uncommitted: some come more than once: " + (new HashSet<>(all).size() < all.size()));
    }

    private void createTopics() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(Stream.of(TEXT, KINDS, COUNTS, MINUTES).map(name -> new NewTopic(name, PARTITIONS, (short) 1)).toList()).all().get();
        }
    }

    private void write(int half) {
        try (var writer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            for (int w = 0; half == 0 && w < VOCABULARY; w++) {
                writer.send(new ProducerRecord<>(KINDS, null, time, "word" + w, "kind" + w % 5));
            }
            for (int i = half * LINES; i < (half + 1) * LINES; i++) {
                var line = new StringBuilder();
                for (int w = 0; w < WORDS; w++) {
                    line.append(' ').append("word").append((i * (w + 7) + w) % VOCABULARY);
                }
                writer.send(new ProducerRecord<>(TEXT, i % PARTITIONS, time + 600L * i, null, line.substring(1)));
            }
        }
    }

    private Properties config(String directory) {
        var config = new Properties();
        config.putAll(Map.of("bootstrap.servers", bootstrap, "application.id", APPLICATION, "client.id", APPLICATION,
            "state.dir", directory, "processing.guarantee", "exactly_once_v2", "num.stream.threads", 2,
            "statestore.cache.max.bytes", 0, "auto.offset.reset", "earliest"));
        config.put("consumer.session.timeout.ms", 6000);
        config.put("consumer.heartbeat.interval.ms", 500);
        config.put("default.key.serde", Serdes.String().getClass());
        config.put("default.value.serde", Serdes.String().getClass());
        return config;
    }

    private Topology topology() {
        var builder = new StreamsBuilder();
        KStream<String, String> words = builder.<String, String>stream(TEXT)
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .selectKey((key, word) -> word)
            .repartition(Repartitioned.as("words"));
        words.join(builder.<String, String>table(KINDS), (word, kind) -> kind)
            .groupBy((word, kind) -> kind)
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofDays(1)))
            .count()
            .toStream((window, n) -> window.key() + " at " + window.window().startTime())
            .to(MINUTES, Produced.with(Serdes.String(), Serdes.Long()));
        KStream<String, Long> counted = words.groupByKey().count().toStream();
        counted.to(COUNTS, Produced.with(Serdes.String(), Serdes.Long()));
        counted.foreach(this::passGate); // after the count was sent
        return builder.build();
    }

    private void passGate(String word, Long n) {
        if (gate.get() > 0 && gate.decrementAndGet() == 0) {
            stopped.complete(word + " " + n);
            try {
                Thread.currentThread().join(); // for ever
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Stops when a count is in the log that is not committed, and never will be. */
    private void untilKilled() throws Exception {
        read(COUNTS, "read_committed", (reader, counts) -> counts.size() >= LINES * WORDS);
        gate.set(100);
        write(1);
        String last = stopped.get();
        read(COUNTS, "read_uncommitted", (reader, counts) -> counts.contains(last));
        System.out.println("READY");
        Thread.currentThread().join();
    }

    /** Says whether each word, or minute of a kind, has come with each of its counts, in order and once. */
    private void report(String topic) {
        var next = new HashMap<String, Integer>();
        int wrong = 0;
        var committed = read(topic, "read_committed", WordCount::atEnd);
        for (String count : committed) {
            String key = count.substring(0, count.lastIndexOf(' '));
            wrong += count.equals(key + " " + next.merge(key, 1, Integer::sum)) ? 0 : 1;
        }
        System.out.println(topic + ": " + committed.size() + " of " + next.size() + " keys, out of turn " + wrong);
    }

    private static boolean atEnd(KafkaConsumer<String, Long> reader, List<String> counts) {
        return reader.endOffsets(reader.assignment()).entrySet().stream().allMatch(e -> reader.position(e.getKey()) >= e.getValue());
    }

    /** Reads counts from the first one on until it is enough. */
    private List<String> read(String topic, String isolation, BiPredicate<KafkaConsumer<String, Long>, List<String>> enough) {
        var counts = new ArrayList<String>();
        var config = Map.<String, Object>of("bootstrap.servers", bootstrap, "isolation.level", isolation);
        try (var reader = new KafkaConsumer<>(config, new StringDeserializer(), new LongDeserializer())) {
            var partitions = IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)).toList();
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            while (!enough.test(reader, counts)) {
                reader.poll(Duration.ofSeconds(1)).forEach(r -> counts.add(r.key() + " " + r.value()));
            }
        }
        return counts;
    }
}

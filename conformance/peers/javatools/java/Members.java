import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Members of consumer groups, so that the tools have something to show. */
final class Members {
    /** How long a group may take until its members share its partitions. */
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final String bootstrap;
    private final Map<String, Member> running = new TreeMap<>();

    Members(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /**
     * "start NAME GROUP TOPIC PARTITIONS [CONFIG=VALUE...]" starts a member and returns when the
     * members of the group have joined one generation and share so many partitions. "stop NAME..."
     * ends members.
     */
    String command(List<String> args) throws InterruptedException {
        if (args.get(0).equals("stop")) {
            for (String name : args.subList(1, args.size())) {
                running.remove(name).stop();
            }
            return "";
        }
        var extra = new HashMap<String, Object>();
        for (String config : args.subList(5, args.size())) {
            String[] pair = config.split("=", 2);
            extra.put(pair[0], pair[1]);
        }
        var member = new Member(args.get(1), args.get(2), args.get(3), extra);
        running.put(args.get(1), member);
        member.thread.start();
        await(args.get(2), Integer.parseInt(args.get(4)));
        return "";
    }

    void stopAll() throws InterruptedException {
        for (Member m : running.values()) {
            m.stop();
        }
    }

    private synchronized void await(String group, int partitions) throws InterruptedException {
        for (long end = System.nanoTime() + LIMIT_NANOS; !settled(group, partitions); ) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                throw new IllegalStateException("the members of " + group + " do not settle");
            }
            wait(left);
        }
    }

    private boolean settled(String group, int partitions) {
        var generations = new ArrayList<Integer>();
        int owned = 0;
        for (Member m : running.values()) {
            if (m.group.equals(group)) {
                generations.add(m.generation);
                owned += m.owned;
            }
        }
        return owned == partitions && generations.stream().distinct().count() == 1;
    }

    private synchronized void tell(Member m, int generation, int owned) {
        m.generation = generation;
        m.owned = owned;
        notifyAll();
    }

    private final class Member {
        private final String group;
        private final Thread thread;
        private final KafkaConsumer<byte[], byte[]> consumer;
        private int generation = -1;
        private int owned;

        Member(String name, String group, String topic, Map<String, Object> extra) {
            this.group = group;
            var config = new HashMap<String, Object>();
            config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
            config.put(ConsumerConfig.CLIENT_ID_CONFIG, name);
            config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
            config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
            config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
            config.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 100);
            config.putAll(extra);
            consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            thread = new Thread(() -> poll(topic), name);
        }

        private void poll(String topic) {
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
                    // What is left is told when the new ones are assigned.
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
                    tell(Member.this, consumer.groupMetadata().generationId(), consumer.assignment().size());
                }
            });
            try {
                while (true) {
                    consumer.poll(Duration.ofSeconds(10));
                }
            } catch (WakeupException e) {
                // Static members would stay otherwise.
                consumer.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
            }
        }

        void stop() throws InterruptedException {
            consumer.wakeup();
            thread.join();
        }
    }
}

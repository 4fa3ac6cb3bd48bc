import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import org.apache.kafka.common.TopicPartition;

/** What the members of one group say, held against what a consumer group promises. */
final class Ledger {
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Map<String, TreeSet<Integer>> owned = new TreeMap<>();
    private final Map<String, Integer> generations = new HashMap<>();
    private final Map<Integer, Long> next = new TreeMap<>();
    private final List<String> again = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();

    synchronized void assigned(String member, int generation, Collection<TopicPartition> added, int partitions) {
        for (TopicPartition p : added) {
            owned.forEach((other, has) -> {
                if (has.contains(p.partition())) {
                    faults.add("a partition of " + other + " is given to " + member);
                }
            });
            owned.computeIfAbsent(member, m -> new TreeSet<>()).add(p.partition());
        }
        generations.put(member, generation);
        if (of(member).size() != partitions) {
            faults.add(member + " counts " + partitions + " partitions");
        }
        notifyAll();
    }

    synchronized void gone(String member, Collection<TopicPartition> taken) {
        taken.forEach(p -> of(member).remove(p.partition()));
        notifyAll();
    }

    /** The member has crashed: what it had is nobody's. */
    synchronized void forget(String member) {
        owned.remove(member);
        generations.remove(member);
    }

    synchronized void read(String member, int partition, long offset, String value) {
        if (!of(member).contains(partition)) {
            faults.add("a record is read by who does not own it");
        }
        if (!value.equals(partition + "/" + offset)) {
            faults.add("the record " + partition + "/" + offset + " is " + value);
        }
        long expected = next.getOrDefault(partition, 0L);
        if (offset > expected) {
            faults.add("records are left out");
        } else if (offset < expected) {
            again.add(Long.toString(offset));
        } else {
            next.put(partition, offset + 1);
        }
        notifyAll();
    }

    synchronized TreeSet<Integer> of(String member) {
        return owned.computeIfAbsent(member, m -> new TreeSet<>());
    }

    synchronized int generation(String member) {
        return generations.getOrDefault(member, -1);
    }

    /** The member with the most partitions. */
    synchronized String busiest() {
        String found = null;
        for (String member : owned.keySet()) {
            if (found == null || of(member).size() > of(found).size()) {
                found = member;
            }
        }
        return found;
    }

    /** How many partitions each member has, the fewest first. */
    private List<Integer> shares() {
        return generations.keySet().stream().map(m -> of(m).size()).sorted().toList();
    }

    String awaitShares(Integer... wanted) throws InterruptedException {
        return await("shares " + List.of(wanted),
            l -> l.shares().equals(List.of(wanted)) && l.generations.values().stream().distinct().count() == 1);
    }

    String awaitReads(long offset, int partitions) throws InterruptedException {
        return await("read " + offset + " records of each partition",
            l -> l.next.size() == partitions && l.next.values().stream().allMatch(n -> n == offset));
    }

    private synchronized String await(String what, Predicate<Ledger> holds) throws InterruptedException {
        for (long end = System.nanoTime() + LIMIT_NANOS; !holds.test(this); ) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                return what + ": no, but " + owned + ", generations " + generations + ", read to " + next;
            }
            wait(left);
        }
        return what + (faults.isEmpty() ? "" : ", but " + faults);
    }

    /** The offsets that were read twice. */
    synchronized String again() {
        return again.isEmpty() ? "none read twice" : "read twice: offsets " + String.join(" ", again);
    }
}

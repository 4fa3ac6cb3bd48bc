import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;

/** Calls of the Admin client, one for each API that a broker of one node serves. */
final class AdminCalls {
    private static final String TOPIC = "called";
    private static final TopicPartition FIRST = new TopicPartition(TOPIC, 0);

    private final String bootstrap;

    AdminCalls(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    void run() {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "client.id", "admin"))) {
            topics(admin);
            configs(admin);
            groups(admin);
            cluster(admin);
            say("deleteTopics", () -> admin.deleteTopics(List.of(TOPIC)).all().get());
            say("deleteTopics again", () -> admin.deleteTopics(List.of(TOPIC)).all().get());
        }
    }

    /** Prints what a call gives, or why it gives nothing. */
    private static void say(String what, Callable<Object> call) {
        System.out.println("$ " + what);
        try {
            System.out.println(call.call());
        } catch (ExecutionException e) {
            System.out.println(e.getCause());
        } catch (Exception e) {
            System.out.println(e);
        }
    }

    private void topics(Admin admin) {
        say("createTopics", () -> admin.createTopics(List.of(new NewTopic(TOPIC, 2, (short) 1))).config(TOPIC).get().entries().size());
        say("createTopics again", () -> admin.createTopics(List.of(new NewTopic(TOPIC, 2, (short) 1))).all().get());
        say("describeTopics", () -> admin.describeTopics(List.of(TOPIC)).allTopicNames().get());
        say("describeTopics by unknown id", () -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(new Uuid(1, 2)))).allTopicIds().get());
        say("createPartitions", () -> admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(3))).all().get());
        say("createPartitions, fewer", () -> admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(1))).all().get());
        say("listOffsets", () -> admin.listOffsets(Map.of(FIRST, OffsetSpec.latest())).partitionResult(FIRST).get());
        say("listOffsets, earliest", () -> admin.listOffsets(Map.of(FIRST, OffsetSpec.earliest())).partitionResult(FIRST).get());
        say("listOffsets, max timestamp", () -> admin.listOffsets(Map.of(FIRST, OffsetSpec.maxTimestamp())).partitionResult(FIRST).get());
        say("deleteRecords", () -> admin.deleteRecords(Map.of(FIRST, RecordsToDelete.beforeOffset(0))).lowWatermarks().get(FIRST).get().lowWatermark());
        say("deleteRecords, too many", () -> admin.deleteRecords(Map.of(FIRST, RecordsToDelete.beforeOffset(7))).lowWatermarks().get(FIRST).get().lowWatermark());
        say("describeProducers", () -> admin.describeProducers(List.of(FIRST)).partitionResult(FIRST).get());
        say("electLeaders", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(FIRST)).partitions().get());
        say("alterPartitionReassignments", () -> admin.alterPartitionReassignments(
            Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(1))))).all().get());
        say("alterPartitionReassignments, elsewhere", () -> admin.alterPartitionReassignments(
            Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(2))))).all().get());
        say("listPartitionReassignments", () -> admin.listPartitionReassignments().reassignments().get());
        say("describeLogDirs", () -> admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).values().iterator().next()
            .replicaInfos().get(FIRST));
        say("describeReplicaLogDirs", () -> admin.describeReplicaLogDirs(List.of(new TopicPartitionReplica(TOPIC, 0, 1)))
            .all().get().values().iterator().next().getCurrentReplicaOffsetLag());
        say("alterReplicaLogDirs", () -> admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica(TOPIC, 0, 1), "/no/such/dir")).all().get());
    }

    private void configs(Admin admin) {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);
        say("describeConfigs", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms"));
        var set = new AlterConfigOp(new ConfigEntry("retention.ms", "1000"), AlterConfigOp.OpType.SET);
        say("incrementalAlterConfigs", () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get());
        var wrong = new AlterConfigOp(new ConfigEntry("retention.ms", "soon"), AlterConfigOp.OpType.SET);
        say("incrementalAlterConfigs, refused", () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(wrong))).all().get());
        say("describeConfigs of a group", () -> size(admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.GROUP, "g")))
            .all().get().values().iterator().next().entries()));
        say("listConfigResources", () -> admin.listConfigResources(Set.of(ConfigResource.Type.BROKER),
            new ListConfigResourcesOptions()).all().get());
        var entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, "slow"));
        say("alterClientQuotas", () -> admin.alterClientQuotas(List.of(
            new ClientQuotaAlteration(entity, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1000.0))))).all().get());
        say("describeClientQuotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get());
        say("alterClientQuotas, removed", () -> admin.alterClientQuotas(List.of(
            new ClientQuotaAlteration(entity, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", null))))).all().get());
        var info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
        say("alterUserScramCredentials", () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("alice", info, "secret"))).all().get());
        say("describeUserScramCredentials", () -> admin.describeUserScramCredentials().all().get());
        say("alterUserScramCredentials, removed", () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialDeletion("alice", ScramMechanism.SCRAM_SHA_256))).all().get());
        say("describeUserScramCredentials, none", () -> admin.describeUserScramCredentials(List.of("alice")).all().get());
    }

    private static int size(Collection<?> c) {
        return c.size();
    }

    private void groups(Admin admin) {
        String group = "called-group";
        say("alterConsumerGroupOffsets", () -> admin.alterConsumerGroupOffsets(group,
            Map.of(FIRST, new OffsetAndMetadata(3, Optional.of(0), "words"))).all().get());
        say("listConsumerGroupOffsets", () -> admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
        say("describeConsumerGroups", () -> admin.describeConsumerGroups(List.of(group)).all().get());
        say("describeClassicGroups", () -> admin.describeClassicGroups(List.of(group)).all().get());
        say("describeConsumerGroups, nobody", () -> admin.describeConsumerGroups(List.of("nobody")).all().get());
        say("listGroups", () -> admin.listGroups().all().get().stream().filter(g -> g.groupId().equals(group)).toList());
        say("removeMembersFromConsumerGroup", () -> admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions()).all().get());
        say("deleteConsumerGroupOffsets", () -> admin.deleteConsumerGroupOffsets(group, Set.of(FIRST)).all().get());
        say("deleteConsumerGroups", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        say("deleteConsumerGroups again", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
    }

    private void cluster(Admin admin) {
        say("describeCluster", () -> admin.describeCluster().controller().get());
        say("describeCluster, operations", () -> admin.describeCluster().authorizedOperations().get());
        say("describeMetadataQuorum", () -> admin.describeMetadataQuorum().quorumInfo().get().leaderId());
        say("describeFeatures", () -> admin.describeFeatures().featureMetadata().get().finalizedFeatures().get("metadata.version"));
        say("updateFeatures", () -> admin.updateFeatures(Map.of("no.such.feature", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)),
            new UpdateFeaturesOptions()).all().get());
        say("unregisterBroker", () -> admin.unregisterBroker(7).all().get());
    }
}

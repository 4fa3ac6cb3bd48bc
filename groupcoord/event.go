package groupcoord

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Token names one request that waits for its reply. The owner chooses it; the
// machine gives it back in exactly one Reply. The exceptions are Kafka's: a parked
// JoinGroup or SyncGroup that a later one of the same member has overtaken, and the
// SyncGroup of a member that left by another connection, are never answered. What
// they wait on ends with their connection.
type Token uint64

// Event is something that happened to a group: a request of a member, the
// passing of time, a change of topics or of configuration.
type Event interface{ event() }

// JoinGroup is a JoinGroup request. Random is the randomness of the member id
// that a new member gets: the id is the client id (or the group instance id), a
// dash, and Random in the text form of java.util.UUID. Topics are those of the moment: a
// consumer group that the member joins wants to know them.
type JoinGroup struct {
	To                   Token
	Req                  *kmsg.JoinGroupRequest
	ClientID, ClientHost string
	Random               [16]byte
	Topics               TopicImage
}

// SyncGroup is a SyncGroup request; Topics are those of the moment.
type SyncGroup struct {
	To     Token
	Req    *kmsg.SyncGroupRequest
	Topics TopicImage
}

// Heartbeat is a Heartbeat request.
type Heartbeat struct {
	To  Token
	Req *kmsg.HeartbeatRequest
}

// LeaveGroup is a LeaveGroup request of any version.
type LeaveGroup struct {
	To  Token
	Req *kmsg.LeaveGroupRequest
}

// ConsumerGroupHeartbeat is a ConsumerGroupHeartbeat request (KIP-848). Random is the
// randomness of the member id that a member of version 0 gets that brings none; Topics
// are those of the moment.
type ConsumerGroupHeartbeat struct {
	To                   Token
	Req                  *kmsg.ConsumerGroupHeartbeatRequest
	ClientID, ClientHost string
	Random               [16]byte
	Topics               TopicImage
}

// ShareGroupHeartbeat is a ShareGroupHeartbeat request (KIP-932) that CheckShareHeartbeat
// finds nothing wrong with; Topics are those of the moment.
type ShareGroupHeartbeat struct {
	To                   Token
	Req                  *kmsg.ShareGroupHeartbeatRequest
	ClientID, ClientHost string
	Topics               TopicImage
}

// ShareStateInitialized tells that InitializeShareState was carried out, or could not be.
type ShareStateInitialized struct {
	Starts []ShareStart
	Failed bool
}

// ShareStateDeleted tells that DeleteShareState was carried out.
type ShareStateDeleted struct{ Starts []ShareStart }

// AlterShareOffsets is an AlterShareGroupOffsets request; Topics are those of the moment.
type AlterShareOffsets struct {
	To     Token
	Req    *kmsg.AlterShareGroupOffsetsRequest
	Topics TopicImage
}

// DeleteShareOffsets is a DeleteShareGroupOffsets request; Topics are those of the moment.
// Without a request all that the share coordinator knows of the group is to be deleted,
// because the group is.
type DeleteShareOffsets struct {
	To     Token
	Req    *kmsg.DeleteShareGroupOffsetsRequest
	Topics TopicImage
}

// OffsetCommit is an OffsetCommit request. The owner has filled in the topic names
// and the topic ids, both in every version, because Kafka keeps the id with the
// offset, and left out the topics and partitions that do not exist.
//
// A TxnOffsetCommit request is the same with Txn: version 9 then stands for those that
// know GROUP_ID_NOT_FOUND, and 8 for those before. The owner has made sure that the
// producer's transaction is open.
type OffsetCommit struct {
	To  Token
	Req *kmsg.OffsetCommitRequest
	Txn *Producer // nil: in no transaction
}

// OffsetDelete is an OffsetDelete request, of existing topics and partitions only.
type OffsetDelete struct {
	To  Token
	Req *kmsg.OffsetDeleteRequest
}

// DeleteGroup asks to delete the group; the reply is a DeleteGroupsResponse with
// this one group in it.
type DeleteGroup struct{ To Token }

// TopicsDeleted tells that topics are gone: their committed offsets go too.
type TopicsDeleted struct{ Topics []string }

// Configure replaces the configuration of the group.
type Configure struct{ Config Config }

// Loaded ends a reload: every record has been applied, and the members that the
// last generation had must show up again within their session timeout.
type Loaded struct{}

// Tick says that a deadline may have passed. A Tick that comes too early does nothing.
type Tick struct{}

// ExpireMember ends the session of a member now, as if its timeout had passed
// (for tests). Unknown members are ignored.
type ExpireMember struct{ MemberID string }

// ForceRebalance starts a rebalance as if a member had asked for one (for tests).
type ForceRebalance struct{ Reason string }

func (JoinGroup) event()              {}
func (SyncGroup) event()              {}
func (Heartbeat) event()              {}
func (LeaveGroup) event()             {}
func (ConsumerGroupHeartbeat) event() {}
func (ShareGroupHeartbeat) event()    {}
func (ShareStateInitialized) event()  {}
func (ShareStateDeleted) event()      {}
func (AlterShareOffsets) event()      {}
func (DeleteShareOffsets) event()     {}
func (OffsetCommit) event()           {}
func (OffsetDelete) event()           {}
func (DeleteGroup) event()            {}
func (TopicsDeleted) event()          {}
func (Configure) event()              {}
func (Loaded) event()                 {}
func (Tick) event()                   {}
func (ExpireMember) event()           {}
func (ForceRebalance) event()         {}

// Effect is something that the owner must do, in the order of the slice that
// Step returned and before the next event.
type Effect interface{ effect() }

// Reply answers the request that To names.
type Reply struct {
	To   Token
	Resp kmsg.Response
}

// Append writes records to __consumer_offsets, as one batch, and then calls
// Apply for each of them.
type Append struct{ Records []Record }

// Again asks for a Tick right after this step, at the same time: what the step changed
// has consequences, and nothing may come between. It is the last effect of a step.
type Again struct{}

// InitializeShareState asks to make the state of a share group on some partitions, with
// no lock held, and to tell of it with ShareStateInitialized.
type InitializeShareState struct {
	StateEpoch int32
	Starts     []ShareStart
}

// DeleteShareState asks to delete the state of a share group on some partitions, with no
// lock held, and to tell of it with ShareStateDeleted.
type DeleteShareState struct{ Starts []ShareStart }

func (InitializeShareState) effect() {}
func (DeleteShareState) effect()     {}
func (Again) effect()                {}
func (Reply) effect()                {}
func (Append) effect()               {}

// Record is one record of __consumer_offsets that belongs to this group. A nil
// Value is a tombstone. ProducerID is -1 outside transactions. A record with an outcome
// is the marker of the producer's transaction, and has neither key nor value.
type Record struct {
	Key, Value    []byte
	Offset        int64
	ProducerID    int64
	ProducerEpoch int16
	Outcome       Outcome
}

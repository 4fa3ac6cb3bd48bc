package conformance

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// printer writes messages as text: the plain fields of a struct on one line, its
// arrays of structs indented below, one element a line.
type printer struct {
	names   *names
	layouts map[layoutKey]layout
}

type layoutKey struct {
	typ     reflect.Type
	version int16
}

// unordered are the arrays whose order Kafka leaves to a hash map or to chance,
// by message and path. They are sorted by what they say.
var unordered = map[string]bool{
	"ApiVersionsResponse.ApiKeys":                    true,
	"ApiVersionsResponse.SupportedFeatures":          true,
	"ApiVersionsResponse.FinalizedFeatures":          true,
	"MetadataResponse.Brokers":                       true,
	"MetadataResponse.Topics":                        true,
	"MetadataResponse.Topics.Partitions":             true,
	"CreateTopicsResponse.Topics":                    true,
	"CreateTopicsResponse.Topics.Configs":            true,
	"CreatePartitionsResponse.Topics":                true,
	"DeleteTopicsResponse.Topics":                    true,
	"DescribeConfigsResponse.Resources":              true,
	"DescribeConfigsResponse.Resources.Configs":      true,
	"IncrementalAlterConfigsResponse.Resources":      true,
	"AlterConfigsResponse.Resources":                 true,
	"ListConfigResourcesResponse.ConfigResources":    true,
	"DescribeLogDirsResponse.Dirs":                   true,
	"DescribeLogDirsResponse.Dirs.Topics":            true,
	"DescribeLogDirsResponse.Dirs.Topics.Partitions": true,
	"AlterReplicaLogDirsResponse.Topics":             true,
	"AlterReplicaLogDirsResponse.Topics.Partitions":  true,
	"ElectLeadersResponse.Topics":                    true,
	"UpdateFeaturesResponse.Results":                 true,
	"DescribeClientQuotasResponse.Entries":           true,
	"DescribeClientQuotasResponse.Entries.Entity":    true,
	"DescribeClientQuotasResponse.Entries.Values":    true,
	"AlterClientQuotasResponse.Entries":              true,
	"AlterClientQuotasResponse.Entries.Entity":       true,

	"DescribeProducersResponse.Topics.Partitions.ActiveProducers":  true,
	"DescribeUserSCRAMCredentialsResponse.Results":                 true,
	"DescribeUserSCRAMCredentialsResponse.Results.CredentialInfos": true,
	"AlterUserSCRAMCredentialsResponse.Results":                    true,

	"ProduceResponse.Topics":                                                                   true,
	"ProduceResponse.Topics.Partitions":                                                        true,
	"ListOffsetsResponse.Topics":                                                               true,
	"ListOffsetsResponse.Topics.Partitions":                                                    true,
	"DeleteRecordsResponse.Topics":                                                             true,
	"DeleteRecordsResponse.Topics.Partitions":                                                  true,
	"OffsetForLeaderEpochResponse.Topics":                                                      true,
	"OffsetForLeaderEpochResponse.Topics.Partitions":                                           true,
	"OffsetDeleteResponse.Topics":                                                              true,
	"OffsetDeleteResponse.Topics.Partitions":                                                   true,
	"OffsetFetchResponse.Topics":                                                               true,
	"OffsetFetchResponse.Topics.Partitions":                                                    true,
	"OffsetFetchResponse.Groups":                                                               true,
	"OffsetFetchResponse.Groups.Topics":                                                        true,
	"OffsetFetchResponse.Groups.Topics.Partitions":                                             true,
	"JoinGroupResponse.Members":                                                                true,
	"DescribeGroupsResponse.Groups":                                                            true,
	"DescribeGroupsResponse.Groups.Members":                                                    true,
	"ListGroupsResponse.Groups":                                                                true,
	"ConsumerGroupDescribeResponse.Groups":                                                     true,
	"ConsumerGroupDescribeResponse.Groups.Members":                                             true,
	"ConsumerGroupHeartbeatResponse.Assignment.Topics.Partitions":                              true,
	"ConsumerGroupDescribeResponse.Groups.Members.Assignment.TopicPartitions.Partitions":       true,
	"ConsumerGroupDescribeResponse.Groups.Members.TargetAssignment.TopicPartitions.Partitions": true,
	"ConsumerGroupHeartbeatResponse.Assignment.Topics":                                         true,
	"ConsumerGroupDescribeResponse.Groups.Members.SubscribedTopics":                            true,
	"ConsumerGroupDescribeResponse.Groups.Members.Assignment.TopicPartitions":                  true,
	"ConsumerGroupDescribeResponse.Groups.Members.TargetAssignment.TopicPartitions":            true,
	"DeleteGroupsResponse.Groups":                                                              true,

	"ShareFetchResponse.Topics":                                  true,
	"ShareFetchResponse.Topics.Partitions":                       true,
	"ShareAcknowledgeResponse.Topics":                            true,
	"ShareAcknowledgeResponse.Topics.Partitions":                 true,
	"ShareGroupDescribeResponse.Groups":                          true,
	"ShareGroupDescribeResponse.Groups.Members":                  true,
	"DescribeShareGroupOffsetsResponse.Groups":                   true,
	"DescribeShareGroupOffsetsResponse.Groups.Topics":            true,
	"DescribeShareGroupOffsetsResponse.Groups.Topics.Partitions": true,
	"AlterShareGroupOffsetsResponse.Topics":                      true,
	"DeleteShareGroupOffsetsResponse.Topics":                     true,

	"AddPartitionsToTxnResponse.Topics":                                true,
	"AddPartitionsToTxnResponse.Topics.Partitions":                     true,
	"AddPartitionsToTxnResponse.Transactions":                          true,
	"AddPartitionsToTxnResponse.Transactions.Topics":                   true,
	"AddPartitionsToTxnResponse.Transactions.Topics.Partitions":        true,
	"WriteTxnMarkersResponse.Markers":                                  true,
	"WriteTxnMarkersResponse.Markers.Topics":                           true,
	"WriteTxnMarkersResponse.Markers.Topics.Partitions":                true,
	"DescribeTransactionsResponse.TransactionStates.Topics":            true,
	"DescribeTransactionsResponse.TransactionStates.Topics.Partitions": true,
	"ListTransactionsResponse.TransactionStates":                       true,
	"ListTransactionsResponse.UnknownStateFilters":                     true,
}

func newPrinter(n *names) *printer {
	return &printer{names: n, layouts: map[layoutKey]layout{}}
}

// message is m as lines; the first has the plain fields only.
func (p *printer) message(m message) string {
	key := layoutKey{reflect.TypeOf(m), m.GetVersion()}
	l, ok := p.layouts[key]
	if !ok {
		l = layoutOf(m)
		p.layouts[key] = l
	}
	v := reflect.ValueOf(m).Elem()
	b := &body{p: p, l: l, root: v.Type().Name()}
	return strings.TrimPrefix(b.structure(v, "", "    "), " ")
}

// body prints one message.
type body struct {
	p    *printer
	l    layout
	root string // the message's type
}

// structure is v's plain fields on one line, each with a leading blank, and below
// them its arrays, indented.
func (b *body) structure(v reflect.Value, prefix, indent string) string {
	var line, below strings.Builder
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		path := prefix + name
		switch {
		case name == "UnknownTags":
			line.WriteString(unknownTags(f))
		case !b.l.present[path] || b.isAbsent(f, path):
		case isStructSlice(f) && f.Len() > 0:
			below.WriteString("\n" + indent + name + ":")
			b.elements(&below, f, path, indent)
		case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct && !f.IsNil():
			line.WriteString(" " + name + "={" + strings.TrimPrefix(b.structure(f.Elem(), path+".", indent+"    "), " ") + "}")
		case f.Kind() == reflect.Struct:
			line.WriteString(" " + name + "={" + strings.TrimPrefix(b.structure(f, path+".", indent+"    "), " ") + "}")
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Uint8 && isRecords(name) && f.Len() > 0:
			below.WriteString("\n" + indent + name + ":" + b.p.records(f.Bytes(), indent+"  "))
		case (name == "ResourceName" || name == "Name") && b.p.names.isNode(f) && isBroker(v):
			line.WriteString(" " + name + "=" + strconv.Quote(strconv.Itoa(recordedNode)))
		case name == "ProducerID" && f.Int() == 0 && hasError(v): // no producer, and not the one of this id
			line.WriteString(" ProducerID=0")
		default:
			line.WriteString(" " + name + "=" + b.value(f, path, name))
		}
	}
	return line.String() + below.String()
}

// isBroker tells whether v is about the configs of a broker or of its loggers.
func isBroker(v reflect.Value) bool {
	kind := v.FieldByName("ResourceType")
	if !kind.IsValid() {
		kind = v.FieldByName("Type") // of ListConfigResources
	}
	if !kind.IsValid() || !kind.CanInt() {
		return false
	}
	k := kmsg.ConfigResourceType(kind.Int())
	return k == kmsg.ConfigResourceTypeBroker || k == kmsg.ConfigResourceTypeBrokerLogger
}

// hasError tells whether v has an error code that is set.
func hasError(v reflect.Value) bool {
	code := v.FieldByName("ErrorCode")
	return code.IsValid() && code.Int() != 0
}

// isAbsent tells whether f is a tagged field that is not sent.
func (b *body) isAbsent(f reflect.Value, path string) bool {
	absent, ok := b.l.absent[path]
	return ok && reflect.DeepEqual(f.Interface(), absent)
}

// digits are widened before sorting, so that 10 stands behind 9.
var digits = regexp.MustCompile(`[0-9]+`)

func isRecords(field string) bool { return field == "Records" || field == "RecordBatches" }

func (b *body) elements(out *strings.Builder, f reflect.Value, path, indent string) {
	order := make([]int, f.Len())
	for i := range order {
		order[i] = i
	}
	text := func(i int) string { return b.structure(f.Index(i), path+".", indent+"    ") }
	if unordered[b.root+"."+path] {
		was := b.p.names.mask
		b.p.names.mask = true
		keys := make([]string, f.Len())
		for i := range keys {
			keys[i] = digits.ReplaceAllStringFunc(text(i), func(d string) string { return fmt.Sprintf("%20s", d) })
		}
		b.p.names.mask = was
		slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(keys[i], keys[j]) })
	}
	for _, i := range order {
		out.WriteString("\n" + indent + "  -" + text(i))
	}
}

// value is one plain field.
func (b *body) value(f reflect.Value, path, name string) string {
	n := b.p.names
	switch f.Kind() {
	case reflect.String:
		return b.text(f.String(), name)
	case reflect.Pointer:
		if f.IsNil() || name == "Rack" { // where a broker stands is its own affair
			return "null"
		}
		return b.value(f.Elem(), path, name)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return n.number(b.root, name, f.Int())
	case reflect.Uint16, reflect.Uint32:
		return n.number(b.root, name, int64(f.Uint()))
	case reflect.Array:
		if name == "ReplicaDirectoryID" && !f.IsZero() {
			return "<directory>"
		}
		return n.topicID(f.Interface().([16]byte))
	case reflect.Slice:
		return b.slice(f, path, name)
	}
	return fmt.Sprint(f.Interface())
}

func (b *body) slice(f reflect.Value, path, name string) string {
	if f.IsNil() && b.l.nullable[path] {
		return "null"
	}
	if f.Type().Elem().Kind() == reflect.Uint8 {
		return quote(b.p.names.text(string(f.Bytes())))
	}
	parts := make([]string, f.Len())
	for i := range parts {
		parts[i] = b.value(f.Index(i), path, name)
	}
	if unordered[b.root+"."+path] {
		slices.Sort(parts)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// text is a string field; where the broker lives is hidden.
func (b *body) text(s, name string) string {
	switch {
	case s == "":
		return `""`
	case name == "Host":
		return "<host>"
	case name == "ClientHost":
		return "<client-host>"
	case name == "ClusterID" && strings.HasSuffix(b.root, "Response"):
		return "<cluster>"
	}
	text := b.p.names.text(s)
	if (name == "MemberID" || name == "LeaderID") && text == s && isRandomID(s) {
		text = b.p.names.numbered("uuid", s)
	}
	return quote(text)
}

// isRandomID tells whether s is the text of a random id, as Kafka gives one to a member
// of a consumer group that brings none.
func isRandomID(s string) bool {
	id, err := protocol.ParseUUID(s)
	return err == nil && id[6]>>4 == 4 && id[8]>>6 == 2
}

// longText is the length in bytes from which on a text is cut in print.
const longText = 8_000

func quote(s string) string {
	if len(s) > longText {
		return fmt.Sprintf("%s...(%d bytes)", strconv.Quote(s[:8]), len(s))
	}
	return strconv.Quote(s)
}

// number is an integer field, with the meaning that its name gives it.
func (n *names) number(root, name string, v int64) string {
	if n.node != nil && v == int64(*n.node) && nodeFields[name] {
		return fmt.Sprint(recordedNode)
	}
	switch name {
	case "ErrorCode":
		if v == 0 {
			return "NONE"
		}
		return fmt.Sprintf("%s(%d)", protocol.ErrorCode(v).Name(), v)
	case "Port":
		if v > 0 {
			return "<port>"
		}
	case "ProducerID", "ProducerIDFilters":
		if v >= 0 {
			return n.numbered("producer", fmt.Sprint(v))
		}
	case "SessionID":
		if v > 0 {
			return n.numbered("session", fmt.Sprint(v))
		}
	case "CoordinatorEpoch":
		if n.coordinatorEpoch != nil && v >= int64(*n.coordinatorEpoch) {
			return fmt.Sprint(v - int64(*n.coordinatorEpoch))
		}
	case "FinalizedFeaturesEpoch":
		if v >= 0 {
			return "<epoch>"
		}
	case "TotalBytes", "UsableBytes":
		if v >= 0 {
			return "<bytes>"
		}
	case "HighWatermark", "LogEndOffset", "LeaderEpoch":
		if root == "DescribeQuorumResponse" && v > 0 {
			return "<metadata log>"
		}
	case "Timestamp", "LogAppendTime", "FirstTimestamp", "MaxTimestamp", "LastTimestamp", "LastFetchTimestamp", "LastCaughtUpTimestamp", "StartTimestamp",
		"CommitTimestamp", "CurrentStateTimestamp", "ExpireTimestamp":
		return n.millis(v)
	}
	return fmt.Sprint(v)
}

func unknownTags(f reflect.Value) string {
	tags, ok := f.Interface().(kmsg.Tags)
	if !ok || tags.Len() == 0 {
		return ""
	}
	var s strings.Builder
	tags.Each(func(key uint32, val []byte) { fmt.Fprintf(&s, " tag%d=%x", key, val) })
	return s.String()
}

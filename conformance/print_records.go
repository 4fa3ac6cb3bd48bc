package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// longValue is the length in bytes from which on a value is cut in print.
const longValue = 80

// records prints the batches in raw: header, then one line a record.
func (p *printer) records(raw []byte, indent string) string {
	var out strings.Builder
	for len(raw) > 0 {
		size := batchHeadSize
		if len(raw) >= batchHeadSize {
			size = max(size, atLength+4+int(int32(binary.BigEndian.Uint32(raw[atLength:]))))
		}
		if len(raw) < size || raw[atMagic] != 2 {
			fmt.Fprintf(&out, "\n%s%d bytes that are no whole batch of magic 2", indent, len(raw))
			break
		}
		out.WriteString("\n" + indent + p.batch(raw[:size], indent+"  "))
		raw = raw[size:]
	}
	return out.String()
}

func (p *printer) batch(raw []byte, indent string) string {
	u16 := func(at int) int16 { return int16(binary.BigEndian.Uint16(raw[at:])) }
	u32 := func(at int) int32 { return int32(binary.BigEndian.Uint32(raw[at:])) }
	u64 := func(at int) int64 { return int64(binary.BigEndian.Uint64(raw[at:])) }
	attributes := u16(atAttributes)
	crc, length := "ok", fmt.Sprint(u32(atLength))
	if uint32(u32(atCRC)) != crc32.Checksum(raw[atAttributes:], castagnoli) {
		crc = "bad"
	}
	if attributes&7 != codecNone {
		length = "(compressed)"
	}
	base := "BaseTimestamp=" + p.names.millis(u64(27))
	if attributes&deleteHorizon != 0 {
		base = "DeleteHorizon=" + p.names.later(u64(27))
	}
	line := fmt.Sprintf("batch BaseOffset=%d Length=%s PartitionLeaderEpoch=%d Magic=2 CRC=%s Attributes=%#x LastOffsetDelta=%d %s MaxTimestamp=%s",
		u64(0), length, u32(12), crc, attributes, u32(23), base, p.names.millis(u64(atMaxTime)))
	if id, epoch, sequence := u64(43), u16(51), u32(53); id != -1 || epoch != -1 || sequence != -1 {
		line += fmt.Sprintf(" ProducerID=%s ProducerEpoch=%d BaseSequence=%d", p.names.number("", "ProducerID", id), epoch, sequence)
	}
	line += fmt.Sprintf(" NumRecords=%d", u32(atNumRecords))
	data, err := decompress(attributes&7, raw[batchHeadSize:])
	if err != nil {
		return line + "\n" + indent + "records that cannot be decompressed"
	}
	return line + p.recordLines(data, attributes, u64(27), indent)
}

func (p *printer) recordLines(data []byte, attributes int16, baseMs int64, indent string) string {
	var out strings.Builder
	for len(data) > 0 {
		n, w := binary.Varint(data)
		if w <= 0 || n < 0 || n > int64(len(data)-w) {
			fmt.Fprintf(&out, "\n%s%d bytes that are no record", indent, len(data))
			break
		}
		line, err := p.record(data[w:w+int(n)], attributes, baseMs)
		if err != nil {
			line = fmt.Sprintf("a record of %d bytes that cannot be read", n)
		}
		out.WriteString("\n" + indent + "- " + line)
		data = data[w+int(n):]
	}
	return out.String()
}

var errRecord = errors.New("record ends early")

// record is one record without its length.
func (p *printer) record(data []byte, attributes int16, baseMs int64) (string, error) {
	if len(data) == 0 {
		return "", errRecord
	}
	r := recordReader{data: data[1:]}
	delta := r.varint()
	at := fmt.Sprintf("TimestampDelta=%d", delta)
	if attributes&deleteHorizon != 0 { // by which the deltas count
		at = "Timestamp=" + p.names.millis(baseMs+delta)
	}
	line := fmt.Sprintf("Attributes=%d %s OffsetDelta=%d", data[0], at, r.varint())
	key, value := r.bytes(), r.bytes()
	if attributes&controlBatch != 0 {
		line += " " + p.controlRecord(key, value)
	} else {
		line += " Key=" + p.blob(key) + " Value=" + p.blob(value)
	}
	count := r.varint()
	for i := int64(0); i < count && !r.bad; i++ {
		line += fmt.Sprintf(" Header(%s=%s)", p.blob(r.bytes()), p.blob(r.bytes()))
	}
	if r.bad {
		return "", errRecord
	}
	if len(r.data) > 0 {
		line += fmt.Sprintf(" and %d bytes more", len(r.data))
	}
	return line, nil
}

func (p *printer) blob(b []byte) string {
	if b == nil {
		return "null"
	}
	if len(b) > longValue {
		return fmt.Sprintf("%s...(%d bytes)", strconv.Quote(string(b[:8])), len(b))
	}
	return strconv.Quote(p.names.text(string(b)))
}

type recordReader struct {
	data []byte
	bad  bool
}

func (r *recordReader) varint() int64 {
	v, w := binary.Varint(r.data)
	if w <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[w:]
	return v
}

// bytes is a length and as many bytes; nil for the length -1.
func (r *recordReader) bytes() []byte {
	n := r.varint()
	if n < 0 {
		return nil
	}
	if n > int64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

// plain is a struct that is no message, such as what a record holds, on one line.
func (p *printer) plain(v any) string {
	b := &body{p: p, root: reflect.TypeOf(v).Elem().Name()}
	return strings.TrimPrefix(b.plain(reflect.ValueOf(v).Elem()), " ")
}

func (b *body) plain(v reflect.Value) string {
	var line strings.Builder
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "UnknownTags":
			line.WriteString(unknownTags(f))
		case isStructSlice(f):
			parts := make([]string, f.Len())
			for j := range parts {
				parts[j] = "{" + strings.TrimPrefix(b.plain(f.Index(j)), " ") + "}"
			}
			slices.Sort(parts) // Kafka's order is that of a hash map
			line.WriteString(" " + name + "=[" + strings.Join(parts, " ") + "]")
		default:
			line.WriteString(" " + name + "=" + b.value(f, name, name))
		}
	}
	return line.String()
}

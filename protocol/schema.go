package protocol

import "math"

//go:generate go run ./internal/schemagen -jar=$KAFKA_CLIENTS_JAR -version=4.4.0

// FieldType is the type of a field on the wire, by the names that Kafka's
// message descriptions use. An array is a Field with Array set, not a type.
type FieldType uint8

// The types of fields. Sizes are in bytes.
const (
	TypeBool    FieldType = iota // 1, false when 0
	TypeInt8                     // 1
	TypeInt16                    // 2
	TypeUint16                   // 2
	TypeInt32                    // 4
	TypeUint32                   // 4
	TypeInt64                    // 8
	TypeFloat64                  // 8
	TypeUUID                     // 16
	TypeString                   // length, then at most 32767 bytes
	TypeBytes                    // length, then bytes
	TypeRecords                  // as TypeBytes: record batches
	TypeStruct                   // its fields; preceded by one byte when it may be null
)

// Versions is the half-open range From <= version < Until. The zero value holds none.
type Versions struct {
	From, Until int16
}

// Has tells whether the version lies in the range.
func (r Versions) Has(version int16) bool { return version >= r.From && version < r.Until }

// Field is one field of a struct.
type Field struct {
	Name     string    // Kafka's name, such as "TransactionalId"
	Type     FieldType // of the field, or of the elements of an array
	Array    bool
	Tag      int16    // only of a tagged field
	Versions Versions // where the field is on the wire
	Nullable Versions // where the field (of an array: the array, not its elements) may be null
	Struct   *Struct  // only of TypeStruct
}

const neverFlexible = math.MaxInt16

// Struct is a sequence of fields. In flexible versions a section of tagged
// fields follows, which may hold tags that are not listed here.
type Struct struct {
	Fields []Field // in the order of the wire
	Tagged []Field // by tag
}

// Schema describes the body of the request of one API in all its versions. It is
// shared: nobody may change it.
type Schema struct {
	Key      int16
	Name     string   // of the API, such as "Produce"
	Versions Versions // that Kafka serves; the unstable one is left out
	Flexible int16    // the first flexible version (KIP-482), above all versions if there is none
	Body     Struct
}

// RequestSchema is the schema of the API's requests; ok is false for a key that
// the listener of a broker of Kafka 4.4.0 does not take. GetTelemetrySubscriptions
// and PushTelemetry are included: a broker takes them although it advertises them
// only with a metrics plugin.
func RequestSchema(key int16) (s *Schema, ok bool) {
	if key < 0 || int(key) >= len(requestSchemas) || requestSchemas[key] == nil {
		return nil, false
	}
	return requestSchemas[key], true
}

// FlexibleIn tells whether the version is encoded with compact lengths and tag sections.
func (s *Schema) FlexibleIn(version int16) bool { return version >= s.Flexible }

package conformance

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// resolver gives what a text that begins with a dollar sign stands for, without the sign.
type resolver func(reference string) string

// noReferences is for checking a script that is not held yet.
func noReferences(string) string { return "" }

// request is the step's request; an error means that its fields are not the request's.
func (s Step) request(resolve resolver) (kmsg.Request, error) {
	req := kmsg.RequestForKey(s.Key)
	req.SetVersion(s.Version)
	toDefault(reflect.ValueOf(req))
	if err := fillStruct(reflect.ValueOf(req).Elem(), s.Fields, resolve); err != nil {
		return nil, err
	}
	req.SetVersion(s.Version)
	return req, nil
}

func fillStruct(v reflect.Value, fields map[string]any, resolve resolver) error {
	for name, value := range fields {
		f := v.FieldByName(name)
		if !f.IsValid() || name == "Version" || name == "UnknownTags" {
			return fmt.Errorf("%s has no field %s", v.Type().Name(), name)
		}
		if err := fillField(f, name, value, resolve); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func fillField(f reflect.Value, name string, value any, resolve resolver) error {
	if value == nil {
		f.SetZero()
		return nil
	}
	misfit := fmt.Errorf("%v is no %v", value, f.Type())
	switch f.Kind() {
	case reflect.Pointer:
		f.Set(reflect.New(f.Type().Elem()))
		return fillField(f.Elem(), name, value, resolve)
	case reflect.Struct:
		fields, ok := value.(map[string]any)
		if !ok {
			return misfit
		}
		toDefault(f.Addr())
		return fillStruct(f, fields, resolve)
	case reflect.Slice:
		return fillSlice(f, name, value, resolve)
	case reflect.Float64:
		n, ok := value.(float64)
		if whole, isWhole := value.(int64); isWhole {
			n, ok = float64(whole), true
		}
		if !ok {
			return misfit
		}
		f.SetFloat(n)
		return nil
	case reflect.Bool:
		b, ok := value.(bool)
		if !ok {
			return misfit
		}
		f.SetBool(b)
		return nil
	case reflect.String, reflect.Array:
		text, ok := value.(string)
		if !ok {
			return misfit
		}
		if rest, is := strings.CutPrefix(text, "$"); is {
			text = resolve(rest)
		}
		if f.Kind() == reflect.String {
			f.SetString(text)
		} else {
			reflect.Copy(f, reflect.ValueOf([]byte(text)))
		}
		return nil
	}
	n, err := fillNumber(value, resolve)
	if err == nil && (!f.CanInt() || f.OverflowInt(n)) {
		err = misfit
	}
	if err == nil {
		f.SetInt(n)
	}
	return err
}

// fillNumber is a whole number, or what a reference to one stands for; 0 where that is
// not known.
func fillNumber(value any, resolve resolver) (int64, error) {
	switch value := value.(type) {
	case int64:
		return value, nil
	case string:
		if rest, ok := strings.CutPrefix(value, "$"); ok {
			n, _ := strconv.ParseInt(resolve(rest), 10, 64)
			return n, nil
		}
	}
	return 0, fmt.Errorf("%v is no whole number", value)
}

func fillSlice(f reflect.Value, name string, value any, resolve resolver) error {
	if f.Type().Elem().Kind() == reflect.Uint8 {
		raw, err := fillBytes(name, value, resolve)
		f.SetBytes(raw)
		return err
	}
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("%v is no list", value)
	}
	f.Set(reflect.MakeSlice(f.Type(), len(list), len(list)))
	for i, one := range list {
		if err := fillField(f.Index(i), name, one, resolve); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	return nil
}

// fillBytes is a text, a list of batches, or the metadata of a consumer that is
// subscribed to Topics.
func fillBytes(name string, value any, resolve resolver) ([]byte, error) {
	switch value := value.(type) {
	case string:
		return []byte(value), nil
	case map[string]any:
		m := kmsg.NewConsumerMemberMetadata()
		if err := fillStruct(reflect.ValueOf(&m).Elem(), value, resolve); err != nil {
			return nil, err
		}
		m.Version = 1
		return m.AppendTo(nil), nil
	case []any:
		raw := []byte{}
		for _, one := range value {
			fields, ok := one.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%v is no batch", one)
			}
			batch, err := fillBatch(fields, resolve)
			if err != nil {
				return nil, err
			}
			raw = append(raw, batch...)
		}
		return raw, nil
	}
	return nil, fmt.Errorf("%v are no bytes", value)
}

// batchFields are the fields of a batch's header that are set after it is sealed, so
// that they need not be true: where they lie, and how many bytes they have.
var batchFields = map[string]struct{ at, size int }{
	"FirstOffset": {0, 8}, "Length": {8, 4}, "PartitionLeaderEpoch": {12, 4}, "Magic": {16, 1}, "CRC": {17, 4},
	"Attributes": {21, 2}, "LastOffsetDelta": {23, 4}, "FirstTimestamp": {27, 8}, "MaxTimestamp": {35, 8},
	"ProducerID": {43, 8}, "ProducerEpoch": {51, 2}, "FirstSequence": {53, 4}, "NumRecords": {57, 4},
}

// fillBatch is a batch: Values and Keys of its records (null is none), its Codec, Cut for
// how many bytes are missing at its end, and any field of its header. The CRC is right
// unless it is given.
func fillBatch(fields map[string]any, resolve resolver) ([]byte, error) {
	var spec struct {
		Values, Keys []*string
		Codec, Cut   int32
		SinceNow     *int64 // milliseconds from now for the first timestamp
	}
	header := map[string]any{}
	for name, value := range fields {
		if _, ok := batchFields[name]; ok {
			header[name] = value
			continue
		}
		f := reflect.ValueOf(&spec).Elem().FieldByName(name)
		if !f.IsValid() {
			return nil, fmt.Errorf("a batch has no field %s", name)
		}
		if err := fillField(f, name, value, resolve); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	records := make([]kmsg.Record, len(spec.Values))
	for i, v := range spec.Values {
		records[i].TimestampDelta64 = int64(i)
		if v != nil {
			records[i].Value = []byte(*v)
		}
		if i < len(spec.Keys) && spec.Keys[i] != nil {
			records[i].Key = []byte(*spec.Keys[i])
		}
	}
	b := newBatch()
	if spec.SinceNow != nil {
		b.FirstTimestamp = time.Now().UnixMilli() + *spec.SinceNow
	}
	raw := seal(b, int16(spec.Codec&7), records...)
	if err := overwrite(raw, header, resolve); err != nil {
		return nil, err
	}
	return raw[:len(raw)-int(min(max(spec.Cut, 0), int32(len(raw))))], nil
}

func overwrite(raw []byte, header map[string]any, resolve resolver) error {
	for name, value := range header {
		n, err := fillNumber(value, resolve)
		if err != nil {
			return err
		}
		place := batchFields[name]
		if limit := int64(math.MaxInt64) >> (64 - 8*place.size); n > limit || n < -limit-1 {
			return fmt.Errorf("%d is too large for %s", n, name)
		}
		var eight [8]byte
		binary.BigEndian.PutUint64(eight[:], uint64(n))
		copy(raw[place.at:place.at+place.size], eight[8-place.size:])
	}
	if _, given := header["CRC"]; given {
		return nil
	}
	length := binary.BigEndian.Uint32(raw[atLength:])
	reseal(raw)
	if _, given := header["Length"]; given {
		binary.BigEndian.PutUint32(raw[atLength:], length)
	}
	return nil
}

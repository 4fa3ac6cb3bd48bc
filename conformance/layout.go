package conformance

import (
	"bytes"
	"reflect"
	"strings"
)

// message is what requests and responses of kmsg have in common.
type message interface {
	Key() int16
	SetVersion(int16)
	GetVersion() int16
	AppendTo([]byte) []byte
}

// layout tells which fields of a message exist in one of its versions. kmsg does
// not say, so it is asked: a field exists when changing it changes the bytes.
type layout struct {
	present  map[string]bool // by path, such as "Topics.Partitions.ErrorCode"
	nullable map[string]bool // arrays of which null and empty differ on the wire
	// absent are the values of tagged fields that are not sent, and so not printed.
	absent map[string]any
}

// layoutOf is the layout of m's type at m's version. It does not look at m's values.
func layoutOf(m message) layout {
	l := layout{present: map[string]bool{}, nullable: map[string]bool{}, absent: map[string]any{}}
	full := reflect.New(reflect.TypeOf(m).Elem())
	toDefault(full)
	probe := full.Interface().(message)
	probe.SetVersion(m.GetVersion())
	fill(full.Elem())
	l.probeStruct(probe, full.Elem(), "")
	return l
}

func toDefault(ptr reflect.Value) {
	if d, ok := ptr.Interface().(interface{ Default() }); ok {
		d.Default()
	}
}

// fill gives every array of structs one element, so that its fields can be probed.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.CanSet() || v.Type().Field(i).Name == "UnknownTags" {
			continue
		}
		switch {
		case isStructSlice(f):
			one := reflect.MakeSlice(f.Type(), 1, 1)
			toDefault(one.Index(0).Addr())
			fill(one.Index(0))
			f.Set(one)
		case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct:
			f.Set(reflect.New(f.Type().Elem()))
			toDefault(f)
			fill(f.Elem())
		case f.Kind() == reflect.Struct:
			fill(f)
		}
	}
}

func isStructSlice(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct
}

func (l layout) probeStruct(m message, v reflect.Value, prefix string) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if !f.CanSet() || name == "UnknownTags" || (prefix == "" && name == "Version") {
			continue
		}
		path := prefix + name
		l.probeField(m, f, path)
		switch {
		case isStructSlice(f):
			l.probeStruct(m, f.Index(0), path+".")
		case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct:
			l.probeStruct(m, f.Elem(), path+".")
		case f.Kind() == reflect.Struct:
			l.present[path] = true
			l.absent[path] = reflect.ValueOf(f.Interface()).Interface()
			l.probeStruct(m, f, path+".")
		}
	}
}

func (l layout) probeField(m message, f reflect.Value, path string) {
	if f.Kind() == reflect.Struct {
		return
	}
	old := reflect.ValueOf(f.Interface())
	base := m.AppendTo(nil)
	f.Set(other(f))
	changed := m.AppendTo(nil)
	l.present[path] = !bytes.Equal(base, changed)
	if k := f.Kind(); !l.inTag(path) && len(changed) != len(base) && (k >= reflect.Int8 && k <= reflect.Int64 || k == reflect.Array) {
		l.absent[path] = old.Interface() // a number of fixed size that has no place is a tagged one
	}
	if f.Kind() == reflect.Slice {
		f.SetZero()
		null := m.AppendTo(nil)
		f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		l.nullable[path] = !bytes.Equal(null, m.AppendTo(nil))
	}
	f.Set(old)
}

// inTag tells whether path lies inside a tagged struct, which is sent whole or not at all.
func (l layout) inTag(path string) bool {
	parent := strings.LastIndexByte(path, '.')
	if parent < 0 {
		return false
	}
	_, tagged := l.absent[path[:parent]]
	return tagged
}

// other is a value of f's type that differs from f's.
func other(f reflect.Value) reflect.Value {
	v := reflect.New(f.Type()).Elem()
	switch f.Kind() {
	case reflect.Bool:
		v.SetBool(!f.Bool())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.Int() ^ 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.Uint() ^ 1)
	case reflect.Float64:
		v.SetFloat(f.Float() + 1)
	case reflect.String:
		v.SetString(f.String() + "x")
	case reflect.Pointer:
		if to := f.Type().Elem(); to.Kind() != reflect.Struct {
			old := reflect.New(to).Elem()
			if !f.IsNil() {
				old = f.Elem()
			}
			v.Set(reflect.New(to))
			v.Elem().Set(other(old))
		}
	case reflect.Slice:
		if f.Len() == 0 {
			v.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	case reflect.Array:
		v.Set(f)
		v.Index(0).SetUint(f.Index(0).Uint() ^ 1)
	}
	return v
}

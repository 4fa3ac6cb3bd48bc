package protocol

import "testing"

func TestSchemas(t *testing.T) {
	n := 0
	for key, s := range requestSchemas {
		if s == nil {
			continue
		}
		n++
		if int(s.Key) != key || s.Versions.From >= s.Versions.Until || s.Name == "" {
			t.Errorf("%d: %s is of key %d, versions %v", key, s.Name, s.Key, s.Versions)
		}
		testStruct(t, s, s.Name, &s.Body, s.Versions)
	}
	if n != 79 {
		t.Errorf("%d schemas, Kafka 4.4.0 takes 79 requests", n)
	}
}

// testStruct tests the fields of a struct that is there in the versions within.
func testStruct(t *testing.T, s *Schema, path string, st *Struct, within Versions) {
	for i, f := range append(st.Fields[:len(st.Fields):len(st.Fields)], st.Tagged...) {
		name := path + "." + f.Name
		tagged := i >= len(st.Fields)
		switch {
		case f.Versions.From < within.From || f.Versions.Until > within.Until || f.Versions.From >= f.Versions.Until:
			t.Errorf("%s is there in versions %v of %v", name, f.Versions, within)
		case f.Nullable != Versions{} && (f.Nullable.From < f.Versions.From || f.Nullable.Until != f.Versions.Until):
			t.Errorf("%s may be null in versions %v of %v", name, f.Nullable, f.Versions)
		case f.Nullable != Versions{} && fixedSize[f.Type] > 0 && !f.Array:
			t.Errorf("%s is of a type without null", name)
		case (f.Type == TypeStruct) != (f.Struct != nil):
			t.Errorf("%s is of type %d and has fields: %v", name, f.Type, f.Struct != nil)
		case tagged && !s.FlexibleIn(f.Versions.From):
			t.Errorf("%s is tagged in versions without tags", name)
		case tagged && int(f.Tag) != i-len(st.Fields), !tagged && f.Tag != 0:
			t.Errorf("%s has tag %d", name, f.Tag)
		}
		if f.Array && f.Struct != nil {
			testElementsTakeBytes(t, s, name, f)
		}
		if f.Struct != nil {
			testStruct(t, s, name, f.Struct, f.Versions)
		}
	}
}

// testElementsTakeBytes tests what bounds the time of a check: an element of an array
// is at least a byte in every version, so that there are no more elements than bytes.
func testElementsTakeBytes(t *testing.T, s *Schema, name string, f Field) {
	for v := f.Versions.From; v < f.Versions.Until; v++ {
		takes := s.FlexibleIn(v)
		for _, inner := range f.Struct.Fields {
			takes = takes || inner.Versions.Has(v)
		}
		if !takes {
			t.Errorf("an element of %s takes no bytes in version %d", name, v)
		}
	}
}

func TestRequestSchema(t *testing.T) {
	for _, key := range []int16{-1 << 15, -1, 4, 5, 52, 62, 95, 1<<15 - 1} {
		if s, ok := RequestSchema(key); ok || s != nil {
			t.Errorf("%d has the schema of %s", key, s.Name)
		}
	}
	s, ok := RequestSchema(11)
	if !ok || s.Name != "JoinGroup" || s.FlexibleIn(5) || !s.FlexibleIn(6) {
		t.Errorf("11 has the schema %+v", s)
	}
	if s, ok := RequestSchema(17); !ok || s.FlexibleIn(1) || s.FlexibleIn(32766) {
		t.Error("SaslHandshake is flexible")
	}
}

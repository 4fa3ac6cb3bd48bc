package broker

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestBrokenRequests sends requests of every API, in its lowest and its highest version,
// cut at each byte and with each byte replaced by what makes lengths, counts and tags
// lie. Nothing panics, no connection lives on, and the memory that a request costs is
// in proportion to it.
func TestBrokenRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic, Seed: 1})
		for i := range apis {
			row := &apis[i]
			for _, version := range []int16{row.min, row.max} {
				r := rand.New(rand.NewPCG(uint64(row.key), uint64(version)))
				req := kmsg.RequestForKey(row.key)
				req.SetVersion(version)
				fillPlainly(reflect.ValueOf(req).Elem())
				broken := breakages(req.AppendTo(nil))
				measured(t, c, row, version, broken)
				extreme := make([][]byte, 60)
				for i := range extreme {
					req := kmsg.RequestForKey(row.key)
					req.SetVersion(version)
					fillExtremely(r, reflect.ValueOf(req).Elem(), 2)
					extreme[i] = req.AppendTo(nil)
				}
				measured(t, c, row, version, extreme)
			}
		}
		synctest.Wait()
		if n := connections(c); n != 0 {
			t.Errorf("%d connections live on", n)
		}
	})
}

// measured sends each body over a connection of its own, which ends then, and judges
// what all of them have cost.
func measured(t *testing.T, c *Cluster, row *api, version int16, bodies [][]byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := 0
	for _, body := range bodies {
		frame := request(row.key, version, body)
		sent += len(frame)
		cl := dialTest(t, c)
		cl.nc.Write(frame)
		cl.nc.Close()
		synctest.Wait()
	}
	runtime.ReadMemStats(&after)
	const perConnection, perByte = 64 << 10, 400 // a long pattern, once compiled, costs most
	if cost := int(after.TotalAlloc - before.TotalAlloc); cost > len(bodies)*perConnection+perByte*sent {
		t.Errorf("%s v%d: %d requests of %d bytes together cost %d bytes", row.name, version, len(bodies), sent, cost)
	}
}

// breakages are a body cut short, and with each byte and each four bytes replaced.
func breakages(body []byte) (all [][]byte) {
	for i := range body {
		all = append(all, body[:i])
		for _, b := range []byte{0x00, 0x7f, 0x80, 0xff} {
			one := append([]byte(nil), body...)
			one[i] = b
			all = append(all, one)
		}
		for _, n := range []uint32{math.MaxInt32, 1 << 31, 0x000fffff, 0xffffff0f} {
			if i+4 <= len(body) {
				four := append([]byte(nil), body...)
				binary.BigEndian.PutUint32(four[i:], n)
				all = append(all, four)
			}
		}
	}
	return all
}

// fillPlainly gives every field a value, so that each has its place in the body.
func fillPlainly(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("t")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillPlainly(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillPlainly(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); v.Type().Field(i).Name != "Version" && f.CanSet() && f.Type() != reflect.TypeFor[kmsg.Tags]() {
				fillPlainly(f)
			}
		}
	}
}

// fillExtremely gives every field one of the values at its ends.
func fillExtremely(r *rand.Rand, v reflect.Value, elements int) {
	pick := func(n int) int { return r.IntN(n) }
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(pick(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := v.Type().Bits()
		v.SetInt([]int64{-1 << (bits - 1), 1<<(bits-1) - 1, -1, 0, 1, 2}[pick(6)])
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint([]uint64{0, 1, math.MaxUint64}[pick(3)])
	case reflect.Float64:
		v.SetFloat([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.Copysign(0, -1), 5e-324}[pick(6)])
	case reflect.String:
		v.SetString([]string{"", "t", "1", "__consumer_offsets", strings.Repeat("x", 32_767), "\xff\x00", "range"}[pick(7)])
	case reflect.Pointer:
		if pick(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillExtremely(r, v.Elem(), elements)
		}
	case reflect.Slice:
		if n := pick(elements + 2); n <= elements {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fillExtremely(r, v.Index(i), elements)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); v.Type().Field(i).Name != "Version" && f.CanSet() && f.Type() != reflect.TypeFor[kmsg.Tags]() {
				fillExtremely(r, f, elements)
			}
		}
	}
}

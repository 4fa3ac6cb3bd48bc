package groupcoord

import (
	"encoding/binary"
	"testing"
)

// FuzzGroupEvents reads bytes as a simulated world: two bytes of what it is like,
// then four bytes for each thing that happens. The invariants are TestSimulation's.
func FuzzGroupEvents(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(simulated(seed, 60).bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := scenarioOf(data)
		if !ok {
			return
		}
		if failure, after := s.run(nil); failure != "" {
			t.Fatalf("after %d ops: %s\n\n%s", after, failure, s.script())
		}
	})
}

// FuzzApply feeds two records of any bytes to a group, which must not mind: not
// then, and not when its owner asks what there is, or when it is reloaded.
func FuzzApply(f *testing.F) {
	metadata, _ := groupRecord(4)
	old, _ := groupRecord(3)
	for _, r := range []Record{offsetRecord(1, 4), offsetRecord(0, 1), metadata, old} {
		f.Add(r.Key, r.Value, old.Key, old.Value)
	}
	f.Fuzz(func(t *testing.T, key, value, key2, value2 []byte) {
		w := newWorld(0, 1)
		records := []Record{newRecord(key, value), newRecord(key2, value2)}
		for _, r := range records {
			w.g.Apply(r)
		}
		if got, again := hardState(w.g), hardState(replay(w.cfg, records)); got != again {
			t.Fatalf("the same records gave\n%s\nand\n%s", got, again)
		}
		if w.g.classic().stored != nil {
			w.seen.generation = w.g.classic().stored.Generation
		}
		w.step(Loaded{})
		w.g.Describe()
		w.step(Tick{})
		w.clients[0].join()
		w.step(Tick{})
	})
}

// scenarioOf reads a scenario out of bytes; false if there is none in them.
func scenarioOf(data []byte) (scenario, bool) {
	const most = 2000 // ops, so that one input takes milliseconds
	if len(data) < 6 {
		return scenario{}, false
	}
	s := scenario{variant: data[0], clients: 1 + int(data[1]%8)}
	for data = data[2:]; len(data) >= 4 && len(s.ops) < most; data = data[4:] {
		s.ops = append(s.ops, op{data[0] % byte(len(ops)), data[1] % byte(s.clients), binary.BigEndian.Uint16(data[2:])})
	}
	return s, true
}

// bytes is the reverse of scenarioOf.
func (s scenario) bytes() []byte {
	b := []byte{s.variant, byte(s.clients - 1)}
	for _, o := range s.ops {
		b = append(b, o.kind, o.who)
		b = binary.BigEndian.AppendUint16(b, o.arg)
	}
	return b
}

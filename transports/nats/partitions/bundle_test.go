package partitions

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
)

// FuzzBundle: what can be read of a message is written again as it was, and nothing panics.
func FuzzBundle(f *testing.F) {
	f.Add([]byte("input"))
	f.Add(Bundle([][]byte{[]byte("one"), nil, []byte("three")}))
	f.Add([]byte{bundleByte, bundleForm, 3, 'a'})
	f.Add([]byte{bundleByte, bundleForm + 1, 1, 'a'})
	f.Add([]byte{bundleByte})
	f.Fuzz(func(t *testing.T, message []byte) {
		inputs := unbundle(message)
		if len(inputs) == 0 {
			t.Fatalf("%q has no input", message)
		}
		if again := unbundle(Bundle(inputs)); !slices.EqualFunc(inputs, again, bytes.Equal) {
			t.Errorf("%q is read again as %q", inputs, again)
		}
	})
}

// TestBundleForm: the byte form is one that later versions still read, and a single input is what it was.
func TestBundleForm(t *testing.T) {
	t.Parallel()
	for want, inputs := range map[string][]string{
		"\x84\x01\x01a\x02bc":      {"a", "bc"},
		"one":                      {"one"},
		"\x84\x01\x03\x84\x01\x05": {"\x84\x01\x05"},
	} {
		var all [][]byte
		for _, in := range inputs {
			all = append(all, []byte(in))
		}
		if got := Bundle(all); string(got) != want {
			t.Errorf("%q become %q, want %q", inputs, got, want)
		}
		if got := unbundle([]byte(want)); !slices.EqualFunc(got, all, bytes.Equal) {
			t.Errorf("%q is read as %q", want, got)
		}
	}
}

// TestPositions: positions rise from input to input, and behind the last one of a message comes the next message.
func TestPositions(t *testing.T) {
	t.Parallel()
	last := uint64(0)
	for sequence := range uint64(3) {
		for _, of := range []int{1, 2, MaxBundle} {
			for n := range of {
				at := positionOf(3*sequence+uint64(of%3), n, of)
				if of == 2 && at <= last {
					t.Fatalf("input %d of %d of message %d is at %d, and the one before at %d", n, of, sequence, at, last)
				}
				if last = at; n == of-1 && messageAt(at+1) != messageAt(at)+1 {
					t.Errorf("behind the last of %d inputs message %d is read", of, messageAt(at+1))
				}
				if n < of-1 && messageAt(at+1) != messageAt(at) {
					t.Errorf("behind input %d of %d message %d is read", n, of, messageAt(at+1))
				}
			}
		}
		last = 0
	}
}

// TestIntakeOfBundles: an owner reads messages of one input, such as versions before have written, and bundles, in
// their order, and whoever takes the partition goes on behind what was committed, in the middle of a bundle too.
func TestIntakeOfBundles(t *testing.T) {
	t.Parallel()
	o := started(t)
	next := uint64(0)
	o.Committed = func(_ int, c Committed) { next = c.Next }
	_, js := o.Connection()
	var want []string
	for message, size := range []int{1, 3, 1, 5, 2} {
		var inputs [][]byte
		for n := range size {
			inputs = append(inputs, fmt.Appendf(nil, "%d/%d", message, n))
			want = append(want, string(inputs[n]))
		}
		natstest.Must(js.Publish(within(t), "INTAKE.0", Bundle(inputs)))
	}
	for committed := range len(want) + 1 {
		p := taken(t, o, 0, make(rows))
		records := readToEnd(t, p)
		if got := values(records); !slices.Equal(got, want[committed:]) {
			t.Fatalf("behind %d inputs there are %q, want %q", committed, got, want[committed:])
		}
		if committed == len(want) {
			break
		}
		if _, err := p.Commit(within(t), bridge.PartitionCommit{Next: records[0].Position + 1}); err != nil {
			t.Fatal(err)
		}
	}
	if next != 6 {
		t.Errorf("of 5 messages that are read, message %d is the next", next)
	}
}

// readToEnd reads a partition to its end.
func readToEnd(t *testing.T, p *partition) (all []bridge.IntakeRecord) {
	t.Helper()
	for end := false; !end; {
		var records []bridge.IntakeRecord
		var err error
		if records, end, err = p.Read(within(t), 0); err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
	return all
}

func values(records []bridge.IntakeRecord) (out []string) {
	for _, r := range records {
		out = append(out, string(r.Value))
	}
	return out
}

// TestCursorOfMessages: an owner goes on where a version before bundles has stopped, whose positions were sequences.
func TestCursorOfMessages(t *testing.T) {
	t.Parallel()
	o := started(t)
	_, js := o.Connection()
	for n := range 4 {
		natstest.Must(js.Publish(within(t), "INTAKE.0", fmt.Append(nil, n)))
	}
	old := []byte{cursorOfMessages, 1, 7, 3, 1, 0, 0, 0} // 3 is read next
	natstest.Must(js.Publish(within(t), "STATE.0.s.c", old))
	p := taken(t, o, 0, make(rows))
	if got := values(readToEnd(t, p)); !slices.Equal(got, []string{"2", "3"}) {
		t.Errorf("it reads %q", got)
	}
}

// TestBundleBehind: inputs of a bundle that is read in part lie behind.
func TestBundleBehind(t *testing.T) {
	t.Parallel()
	o := started(t)
	_, js := o.Connection()
	natstest.Must(js.Publish(within(t), "INTAKE.0", Bundle([][]byte{{1}, {2}, {3}})))
	natstest.Must(js.Publish(within(t), "INTAKE.0", []byte{4}))
	p := taken(t, o, 0, make(rows))
	r := reading{i: p.intake}
	for want := uint64(3); ; want-- {
		if r.take(<-p.intake.fetched); p.Behind() != want {
			t.Errorf("behind input %d lie %d, want %d", 4-want, p.Behind(), want)
		}
		if want == 0 {
			return
		}
	}
}

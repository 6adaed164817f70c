package nats

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"livebridge/transports/nats/partitions"
)

// testedBundler sends to a stream that answers when the test says so.
type testedBundler struct {
	bundler
	sent []*sentInputs
}

// sentInputs is a message that a bundler sends.
type sentInputs struct {
	texts  []string
	ctx    context.Context
	answer chan error
}

func newTestedBundler(room int) *testedBundler {
	b := &testedBundler{}
	b.bytes = func() int { return room }
	b.send = func(ctx context.Context, inputs [][]byte) error {
		s := &sentInputs{ctx: ctx, answer: make(chan error)}
		for _, in := range inputs {
			s.texts = append(s.texts, string(in))
		}
		b.mu.Lock()
		b.sent = append(b.sent, s)
		b.mu.Unlock()
		select {
		case err := <-s.answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return b
}

// appended is an input whose append has begun.
type appended struct {
	cancel  context.CancelFunc
	outcome chan error
}

// appends begins to append inputs, one after the other.
func (b *testedBundler) appends(texts ...string) (all []appended) {
	for _, text := range texts {
		ctx, cancel := context.WithCancel(context.Background())
		a := appended{cancel, make(chan error, 1)}
		go func() { a.outcome <- b.append(ctx, []byte(text)) }()
		synctest.Wait()
		all = append(all, a)
	}
	return all
}

// answers has the stream answer the message that was sent last, which must be of these inputs.
func (b *testedBundler) answers(t *testing.T, err error, texts ...string) {
	t.Helper()
	b.sees(t, texts...).answer <- err
	synctest.Wait()
}

// sees checks what was sent last, and returns it.
func (b *testedBundler) sees(t *testing.T, texts ...string) *sentInputs {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.sent[len(b.sent)-1]
	if !slices.Equal(last.texts, texts) {
		t.Fatalf("%.100q is sent, want %.100q", last.texts, texts)
	}
	return last
}

// ended checks that all have this outcome.
func ended(t *testing.T, all []appended, want error) {
	t.Helper()
	for i, a := range all {
		select {
		case err := <-a.outcome:
			if !errors.Is(err, want) {
				t.Errorf("input %d has the outcome %v, want %v", i, err, want)
			}
		default:
			t.Errorf("input %d has no outcome, want %v", i, want)
		}
	}
}

// TestBundleTogether: the first input is sent at once, and those that come while it is under way go together; each has
// the outcome of its message, so that none is answered 200 that the stream may not have.
func TestBundleTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, refused := newTestedBundler(1000), errors.New("refused")
		first := b.appends("1")
		next := b.appends("2", "3", "4")
		b.answers(t, nil, "1")
		ended(t, first, nil)
		last := b.appends("5", "6")
		b.answers(t, refused, "2", "3", "4")
		ended(t, next, refused)
		b.answers(t, nil, "5", "6")
		ended(t, last, nil)
		b.appends("7")
		b.answers(t, nil, "7")
	})
}

// TestBundleIsBounded: more than a message holds goes with the next one.
func TestBundleIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, x := newTestedBundler(100), strings.Repeat("x", 40-partitions.BundleOverhead)
		b.appends("1", x, x, x, strings.Repeat("y", 200), "2")
		for _, texts := range [][]string{{"1"}, {x, x}, {x}, {strings.Repeat("y", 200)}, {"2"}} {
			b.answers(t, nil, texts...)
		}
		b = newTestedBundler(1 << 20)
		b.appends("1")
		many := strings.Split(strings.Repeat("z", bundleInputs+1), "")
		b.appends(many...)
		b.answers(t, nil, "1")
		b.answers(t, nil, many[1:]...)
		b.answers(t, nil, "z")
	})
}

// TestBundleTooLarge: inputs that are too large together are sent in halves, and only the one is refused that is too
// large by itself. What comes next is not tried at that size again.
func TestBundleTooLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, large := newTestedBundler(1000), strings.Repeat("x", 200)
		b.appends("1")
		before, refused, behind := b.appends("2"), b.appends(large), b.appends("3", "4")
		b.answers(t, nil, "1")
		b.answers(t, nats.ErrMaxPayload, "2", large, "3", "4")
		b.answers(t, nats.ErrMaxPayload, "2", large)
		b.answers(t, nil, "2")
		b.answers(t, nats.ErrMaxPayload, large)
		b.answers(t, nil, "3", "4")
		ended(t, append(before, behind...), nil)
		ended(t, refused, nats.ErrMaxPayload)
		y := strings.Repeat("y", 90)
		b.appends("5", y, y)
		b.answers(t, nil, "5")
		b.answers(t, nil, y)
		b.answers(t, nil, y)
	})
}

// TestBundleGoesOnWithoutOne: a callback that is given up costs those that were sent with it nothing. What everybody
// has given up is not waited for, and what is not sent yet is not sent.
func TestBundleGoesOnWithoutOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestedBundler(1000)
		b.appends("1")
		others, one := b.appends("2", "3"), b.appends("4")
		b.answers(t, nil, "1")
		b.sees(t, "2", "3", "4")
		late := b.appends("5", "6")
		one[0].cancel()
		late[0].cancel()
		synctest.Wait()
		ended(t, append(one, late[0]), context.Canceled)
		b.answers(t, nil, "2", "3", "4")
		ended(t, others, nil)
		b.sees(t, "6")
		behind := b.appends("7")
		late[1].cancel()
		synctest.Wait()
		ended(t, late[1:], context.Canceled)
		b.answers(t, nil, "7")
		ended(t, behind, nil)
	})
}

// TestBundleWithoutAnswer: a message whose answer is lost does not hold up what comes behind it.
func TestBundleWithoutAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestedBundler(1000)
		lost := b.appends("1")
		b.report(errNoLeader)
		behind := b.appends("2", "3")
		b.sees(t, "1")
		time.Sleep(bundlePatience)
		b.answers(t, nil, "2", "3")
		ended(t, behind, nil)
		b.report(errNoLeader)
		lost[0].cancel()
		synctest.Wait()
		ended(t, lost, errNoLeader)
	})
}

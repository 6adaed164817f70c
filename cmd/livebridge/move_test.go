package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

// mover is a service whose INTAKE changes, on a broker that stays.
type mover struct {
	t        *testing.T
	provider *playedProvider
	dir      string // that of the service, and of the first of its replicas
	other    string // of another replica

	settings []string // of any INTAKE
	local    []string // besides, of INTAKE=local
	shared   []string // of INTAKE=broker
	at       string   // where replicas publish to, as errors name it

	// consume calls f for what was published, until it returns an error, and returns that.
	consume func(ctx context.Context, f func(payload []byte) error) error
}

const movedPartitions, movedRooms = 3, 6

// replicaSettings are those of replicas, which wait for a broker that is slow: what a journal takes in its place may
// come late, and has to reach the broker before an import.
func (m *mover) replicaSettings(dir string) []string {
	return append(slices.Concat(m.settings, m.shared), prefix+"INTAKE=broker", prefix+"INTAKE_GROUP=team",
		prefix+"DATA_DIR="+dir, prefix+"INTAKE_FALLBACK=refuse", prefix+"INTAKE_BUDGET="+patience.String())
}

// play sends the rounds [0, to) of each stream, in turn to each of the programs: those of before once more. The streams
// play at once.
func (m *mover) play(to int, programs ...*program) {
	m.t.Helper()
	var streams sync.WaitGroup
	for room := range movedRooms {
		streams.Go(func() {
			for n := range to {
				url := "http://" + programs[n%len(programs)].listen + "/live/stream"
				if status := m.provider.send(m.t.Context(), url, fmt.Sprint("room", room), n); status != 200 {
					m.t.Errorf("round %d of stream %d is answered %d", n, room, status)
					return
				}
			}
		})
	}
	streams.Wait()
	if m.t.Failed() {
		m.t.FailNow()
	}
}

// localSettings are those of the service.
func (m *mover) localSettings() []string { return slices.Concat(m.settings, m.local) }

// service starts it with INTAKE=local.
func (m *mover) service() *program {
	m.t.Helper()
	return launch(m.t, m.dir, m.localSettings()...)
}

// refused has a program not start.
func (m *mover) refused(dir, want string, settings ...string) {
	m.t.Helper()
	p := spawn(m.t, dir, nil, settings...)
	if p.listen != "" {
		m.t.Fatalf("it starts")
	}
	if code := p.end(m.t); code != exitUsage || !strings.Contains(p.log.String(), want) {
		m.t.Errorf("it exits with %d, want %q\n%s", code, want, p.log)
	}
}

// replicas starts two, the one with the journal first.
func (m *mover) replicas() [2]*program {
	m.t.Helper()
	return [2]*program{m.replica(m.dir), m.replica(m.other)}
}

// replica starts one and waits until it takes part, before which it has handed over what it remembers.
func (m *mover) replica(dir string) *program {
	m.t.Helper()
	p := launch(m.t, dir, m.replicaSettings(dir)...)
	until(m.t, "the replica takes part", func() bool { return strings.Contains(p.log.String(), "replica takes part") })
	return p
}

// reviewed waits until so many entries of the quarantine are for review, and returns their numbers.
func (m *mover) reviewed(dir string, want int) (numbers []uint64) {
	m.t.Helper()
	until(m.t, fmt.Sprint(want, " entries are for review"), func() bool {
		numbers = numbers[:0]
		for _, e := range entriesOf(m.t, dir, "quarantine") {
			numbers = append(numbers, e.Number)
		}
		return len(numbers) == want
	})
	return numbers
}

func (m *mover) purge(dir string, number uint64) {
	m.t.Helper()
	if _, errOut, code := command(m.t, dir, "quarantine", "purge", fmt.Sprint(number)); code != exitDone {
		m.t.Errorf("purge ends with %d: %s", code, errOut)
	}
}

// topic returns what was published, up to one event in each partition that is sent last.
func (m *mover) topic(last *program) (events []checker.Event) {
	m.t.Helper()
	ends := make(map[string]bool)
	covered := make(map[int]bool)
	for i := 0; len(covered) < movedPartitions; i++ {
		stream := fmt.Sprint("end", i)
		lane := bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: stream}
		if p := lane.Partition(movedPartitions); !covered[p] {
			covered[p], ends[lane.Subject()] = true, true
			m.provider.send(m.t.Context(), "http://"+last.listen+"/live/stream", stream, 0)
		}
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), stallTimeout)
	defer cancel()
	err := m.consume(ctx, func(payload []byte) error {
		e, err := checker.ParseEvent(payload)
		events = append(events, e)
		if delete(ends, e.Subject); len(ends) == 0 {
			return errors.Join(err, errAllThere)
		}
		return err
	})
	if !errors.Is(err, errAllThere) {
		m.t.Fatal(err)
	}
	return events
}

// judge checks that each occurrence is there once, under sequences that rise by one, in the order of the lane.
func (m *mover) judge(events []checker.Event) {
	m.t.Helper()
	c := checker.New(checker.Config{HoldDone: testHold, HoldNext: testHold})
	for _, s := range m.provider.sent {
		c.Sent(s)
	}
	slices.SortFunc(events, func(a, b checker.Event) int {
		return strings.Compare(fmt.Sprintf("%s %020d", a.Subject, a.Sequence), fmt.Sprintf("%s %020d", b.Subject, b.Sequence))
	})
	seen := make(map[checker.Occurrence]bool)
	for i := range events {
		e := &events[i]
		if seen[e.Occurrence] || e.Marks != 0 {
			m.t.Errorf("%+v is there again, or marked %s", e.Occurrence, e.Marks)
		}
		if seen[e.Occurrence] = true; i > 0 && events[i-1].Subject == e.Subject && e.Sequence != events[i-1].Sequence+1 {
			m.t.Errorf("%s: sequence %d follows %d", e.Subject, e.Sequence, events[i-1].Sequence)
		}
		c.Published(*e)
	}
	if r := c.Report(); !r.OK() {
		m.t.Errorf("%s", saveSent(m.t, m.provider.sent, r))
	}
}

// TestIntakeThereAndBack: a service goes on with INTAKE=broker, with local and with broker again. What the provider
// sends again after each change is published once, sequences go on, and entries for review are in one place.
func TestIntakeThereAndBack(t *testing.T) {
	t.Parallel()
	onBoth(t, (*mover).thereAndBack)
}

// thereAndBack goes all the way.
func (m *mover) thereAndBack() {
	t := m.t
	service := m.service()
	m.play(9, service)
	service.expired(t, "one")
	service.expired(t, "two")
	m.reviewed(m.dir, 2)
	service.terminate(t)

	replicas := m.replicas()
	m.play(18, replicas[0], replicas[1])
	m.purge(m.other, m.reviewed(m.other, 2)[0])
	m.refusedImport(m.dir, "is in use by a service that runs")
	replicas[0].terminate(t)
	replicas[1].terminate(t)
	m.refused(m.dir, "what the service remembers is at its replicas ("+m.at+", group team)", m.localSettings()...)
	m.refused(m.other, "what the service remembers is at its replicas", m.localSettings()...)
	m.refused(m.dir, "is broker, with replicas of "+m.at+", group others",
		append(m.replicaSettings(m.dir), prefix+"INTAKE_GROUP=others")...)

	m.back()
	service = m.service()
	m.play(27, service)
	m.purge(m.dir, m.reviewed(m.dir, 1)[0])
	service.terminate(t)

	replicas = m.replicas()
	m.play(36, replicas[0], replicas[1])
	m.judge(m.topic(replicas[0]))
	m.reviewed(m.other, 0)
	replicas[0].terminate(t)
	replicas[1].terminate(t)
}

// back brings the memory back into the journal.
func (m *mover) back() {
	m.t.Helper()
	if _, errOut, code := commandWith(m.t, m.replicaSettings(m.dir), "journal", "import"); code != exitDone {
		m.t.Fatalf("it exits with %d: %s", code, errOut)
	}
}

// refusedImport has the command end with an error.
func (m *mover) refusedImport(dir, want string, flags ...string) {
	m.t.Helper()
	if _, errOut, code := commandWith(m.t, m.replicaSettings(dir),
		append([]string{"journal", "import"}, flags...)...); code == exitDone ||
		!strings.Contains(errOut, want) {
		m.t.Errorf("it exits with %d, want %q: %s", code, want, errOut)
	}
}

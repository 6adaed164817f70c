package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
)

// newMover returns a service that has not begun, on a broker of its own.
func newMover(t *testing.T) (m *mover, brokers string) {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	brokers = broker.ListenAddrs()[0]
	return &mover{t: t, provider: newProvider(), dir: t.TempDir(), other: t.TempDir(),
		settings: []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + brokers,
			prefix + "KAFKA_PARTITIONS=" + fmt.Sprint(movedPartitions)}}, brokers
}

// newImporter returns an import that has not begun, by a program that begins anew.
func (m *mover) newImporter(brokers string) *importer {
	m.t.Helper()
	s, err := load(with("DATA_DIR", m.dir, "TRANSPORT", "kafka", "KAFKA_BROKERS", brokers, "INTAKE", "broker",
		"INTAKE_GROUP", "team", "HOLD_DONE", testHold.String(), "HOLD_NEXT", testHold.String(), "MIN_FREE_BYTES", "1MiB"))
	if err != nil {
		m.t.Fatal(err)
	}
	return &importer{s: s, log: zap.NewNop(), wait: patience}
}

// interrupt has an import end after so many of its steps.
func (m *mover) interrupt(brokers string, steps int) {
	m.t.Helper()
	i := m.newImporter(brokers)
	for _, step := range i.steps()[:steps] {
		if err := step(m.t.Context()); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := i.close(); err != nil {
		m.t.Fatal(err)
	}
}

// TestImportInterrupted: an import that ends between any two of its steps does not let the service start, and comes to
// the same when it is run again.
func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	m, brokers := newMover(t)
	service := launch(t, m.dir, m.settings...)
	m.play(5, service)
	service.expired(t, "one")
	service.terminate(t)
	rounds, last := 5, len((&importer{}).steps())
	for steps := 2; steps < last; steps++ {
		replica := launch(t, m.dir, m.replicaSettings(m.dir)...)
		m.play(rounds+2, replica)
		m.reviewed(m.dir, 1)
		replica.terminate(t)
		m.interrupt(brokers, steps)
		m.refused(m.dir, "what the service remembers is at its replicas")
		m.back()
		service = launch(t, m.dir, m.settings...)
		m.play(rounds+4, service)
		m.reviewed(m.dir, 1)
		service.terminate(t)
		rounds += 4
	}
	replica := launch(t, m.dir, m.replicaSettings(m.dir)...)
	m.play(rounds, replica)
	m.judge(m.topic(brokers, replica))
	replica.terminate(t)
}

// TestReplicaAfterAnInterruptedImport: a replica goes on where an import was given up, unless the journal may have gone
// on already.
func TestReplicaAfterAnInterruptedImport(t *testing.T) {
	t.Parallel()
	m, brokers := newMover(t)
	service := launch(t, m.dir, m.settings...)
	m.play(5, service)
	service.terminate(t)
	rounds := 5
	for steps := 2; steps < len((&importer{}).steps()); steps++ {
		replica := launch(t, m.dir, m.replicaSettings(m.dir)...)
		m.play(rounds, replica)
		replica.terminate(t)
		m.interrupt(brokers, steps)
		if mark, err := readMemoryMark(m.dir); err != nil || mark.State == memoryImported {
			m.refused(m.dir, "an import into the journal was interrupted", m.replicaSettings(m.dir)[len(m.settings):]...)
			m.back()
		}
	}
	replica := launch(t, m.dir, m.replicaSettings(m.dir)...)
	m.play(rounds, replica)
	m.judge(m.topic(brokers, replica))
	replica.terminate(t)
}

// TestImportCompletesAHandOver: a hand-over that was interrupted keeps the service from starting with INTAKE=local, and
// an import hands the rest over first.
func TestImportCompletesAHandOver(t *testing.T) {
	t.Parallel()
	m, brokers := newMover(t)
	service := launch(t, m.dir, m.settings...)
	m.play(5, service)
	service.expired(t, "one")
	service.terminate(t)
	mark := memoryMark{At: "Kafka topic live.events, group team", State: memoryHandingOver, Salt: [16]byte{1}}
	if err := mark.write(m.dir); err != nil {
		t.Fatal(err)
	}
	m.refused(m.dir, "what the service remembers is at its replicas")
	m.back()
	replica := launch(t, m.other, m.replicaSettings(m.other)...) // which has no journal
	m.play(5, replica)
	m.reviewed(m.other, 0)
	m.judge(m.topic(brokers, replica))
	replica.terminate(t)
	service = launch(t, m.dir, m.settings...)
	m.reviewed(m.dir, 1)
	service.terminate(t)
}

// TestImportIntoANewJournal: replicas that have no journal hand their memory to one that is created.
func TestImportIntoANewJournal(t *testing.T) {
	t.Parallel()
	m, brokers := newMover(t)
	replica := launch(t, m.other, m.replicaSettings(m.other)...)
	m.play(5, replica)
	replica.expired(t, "one")
	m.reviewedSoon(m.other, 1)
	m.refusedImport(m.dir, "other replicas work on them", "--wait", "2s") // while a replica owns what is to be imported
	replica.terminate(t)
	m.back()
	service := launch(t, m.dir, m.settings...)
	m.play(9, service)
	m.reviewed(m.dir, 1)
	service.terminate(t)
	last := launch(t, m.dir, m.replicaSettings(m.dir)...)
	m.play(9, last)
	m.judge(m.topic(brokers, last))
	last.terminate(t)
}

// reviewedSoon waits until so many entries are for review.
func (m *mover) reviewedSoon(dir string, want int) {
	m.t.Helper()
	until(m.t, "the entries are for review", func() bool { return len(entriesOf(m.t, dir, "quarantine")) == want })
}

// TestMemoryMark: what a mark says is what was written, and nothing that is no mark is taken for one.
func TestMemoryMark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, state := range []memoryState{memoryHandingOver, memoryAtReplicas, memoryImporting, memoryImported,
		memoryLocal} {
		mark := memoryMark{At: "topic", State: state, Salt: [16]byte{1, 2}, Below: []uint64{3}}
		if state == memoryLocal {
			mark = memoryMark{}
		}
		if err := mark.write(dir); err != nil {
			t.Fatal(err)
		}
		got, err := readMemoryMark(dir)
		if err != nil || got.At != mark.At || got.State != state || got.Salt != mark.Salt ||
			!slices.Equal(got.Below, mark.Below) {
			t.Errorf("%+v became %+v, %v", mark, got, err)
		}
	}
	for _, text := range []string{"", "{", `{"state":"gone"}`, `{}`} {
		writeFile(t, memoryMarkPath(dir), []byte(text))
		if m, err := readMemoryMark(dir); err == nil {
			t.Errorf("%q is read as %+v", text, m)
		}
	}
}

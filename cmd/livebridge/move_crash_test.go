package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// newImporter returns an import that has not begun, by a program that begins anew.
func (m *mover) newImporter() *importer {
	m.t.Helper()
	vars := with("HOLD_DONE", testHold.String(), "HOLD_NEXT", testHold.String(), "MIN_FREE_BYTES", "1MiB")
	for _, text := range m.replicaSettings(m.dir) {
		name, value, _ := strings.Cut(text, "=")
		vars[name] = value
	}
	s, err := load(vars)
	if err != nil {
		m.t.Fatal(err)
	}
	return &importer{s: s, log: zap.NewNop(), wait: patience}
}

// interrupt has an import end after so many of its steps.
func (m *mover) interrupt(steps int) {
	m.t.Helper()
	i := m.newImporter()
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
	onBoth(t, (*mover).importInterrupted)
}

func (m *mover) importInterrupted() {
	t := m.t
	service := m.service()
	m.play(5, service)
	service.expired(t, "one")
	service.terminate(t)
	rounds, last := 5, len((&importer{}).steps())
	for steps := 2; steps < last; steps++ {
		replica := m.replica(m.dir)
		m.play(rounds+2, replica)
		m.reviewed(m.dir, 1)
		replica.terminate(t)
		m.interrupt(steps)
		m.refused(m.dir, "what the service remembers is at its replicas", m.localSettings()...)
		m.back()
		service = m.service()
		m.play(rounds+4, service)
		m.reviewed(m.dir, 1)
		service.terminate(t)
		rounds += 4
	}
	replica := m.replica(m.dir)
	m.play(rounds, replica)
	m.judge(m.topic(replica))
	replica.terminate(t)
}

// TestReplicaAfterAnInterruptedImport: a replica goes on where an import was given up, unless the journal may have gone
// on already.
func TestReplicaAfterAnInterruptedImport(t *testing.T) {
	t.Parallel()
	onBoth(t, (*mover).replicaAfterAnInterruptedImport)
}

func (m *mover) replicaAfterAnInterruptedImport() {
	t := m.t
	service := m.service()
	m.play(5, service)
	service.terminate(t)
	rounds := 5
	for steps := 2; steps < len((&importer{}).steps()); steps++ {
		replica := m.replica(m.dir)
		m.play(rounds, replica)
		replica.terminate(t)
		m.interrupt(steps)
		if mark, err := readMemoryMark(m.dir); err != nil || mark.State == memoryImported {
			m.refused(m.dir, "an import into the journal was interrupted", m.replicaSettings(m.dir)...)
			m.back()
		}
	}
	replica := m.replica(m.dir)
	m.play(rounds, replica)
	m.judge(m.topic(replica))
	replica.terminate(t)
}

// TestImportCompletesAHandOver: a hand-over that was interrupted keeps the service from starting with INTAKE=local, and
// an import hands the rest over first.
func TestImportCompletesAHandOver(t *testing.T) {
	t.Parallel()
	onBoth(t, (*mover).importCompletesAHandOver)
}

func (m *mover) importCompletesAHandOver() {
	t := m.t
	service := m.service()
	m.play(5, service)
	service.expired(t, "one")
	service.terminate(t)
	mark := memoryMark{At: m.at + ", group team", State: memoryHandingOver, Salt: [16]byte{1}}
	if err := mark.write(m.dir); err != nil {
		t.Fatal(err)
	}
	m.refused(m.dir, "what the service remembers is at its replicas", m.localSettings()...)
	m.back()
	replica := m.replica(m.other) // which has no journal
	m.play(5, replica)
	m.judge(m.topic(replica))
	m.reviewed(m.other, 0)
	replica.terminate(t)
	service = m.service()
	m.reviewed(m.dir, 1)
	service.terminate(t)
}

// TestHandOverCommand: replicas that have no journal know what was handed over by the command, which a DATA_DIR without
// one refuses. What is at the replicas is not changed in the journal.
func TestHandOverCommand(t *testing.T) {
	t.Parallel()
	onBoth(t, (*mover).handOverCommand)
}

func (m *mover) handOverCommand() {
	t := m.t
	service := m.service()
	m.play(5, service)
	service.expired(t, "one")
	service.terminate(t)
	for dir, want := range map[string]int{m.other: exitUsage, m.dir: exitDone} {
		if _, errOut, code := commandWith(t, m.replicaSettings(dir), "journal", "handover"); code != want {
			t.Errorf("it exits with %d, want %d: %s", code, want, errOut)
		}
	}
	if _, errOut, code := command(t, m.dir, "quarantine", "purge", "1"); code != exitUsage ||
		!strings.Contains(errOut, "is at its replicas") {
		t.Errorf("an entry is purged where it is no more: %d %s", code, errOut)
	}
	replica := m.replica(m.other)
	m.play(9, replica)
	m.reviewed(m.other, 1)
	m.judge(m.topic(replica))
	replica.terminate(t)
}

// TestImportIntoANewJournal: replicas that have no journal hand their memory to one that is created.
func TestImportIntoANewJournal(t *testing.T) {
	t.Parallel()
	onBoth(t, (*mover).importIntoANewJournal)
}

func (m *mover) importIntoANewJournal() {
	t := m.t
	replica := m.replica(m.other)
	m.play(5, replica)
	replica.expired(t, "one")
	m.reviewed(m.other, 1)
	m.refusedImport(m.dir, "other replicas work on them", "--wait", "2s") // while a replica owns what is to be imported
	replica.terminate(t)
	m.back()
	service := m.service()
	m.play(9, service)
	m.reviewed(m.dir, 1)
	service.terminate(t)
	last := m.replica(m.dir)
	m.play(9, last)
	m.judge(m.topic(last))
	last.terminate(t)
}

// TestImportSettles: what a replica that was killed has not read, or holds, comes out before the import.
func TestImportSettles(t *testing.T) {
	t.Parallel()
	onBoth(t, (*mover).importSettles)
}

func (m *mover) importSettles() {
	t := m.t
	replica := m.replica(m.dir)
	m.play(4, replica)
	url := "http://" + replica.listen + "/live/stream"
	for room := range movedRooms { // an end whose beginning has not come
		if status := m.provider.send(t.Context(), url, fmt.Sprint("room", room), 5); status != 200 {
			t.Fatalf("answered %d", status)
		}
	}
	replica.kill()
	replica.end(t)
	m.back()
	last := m.replica(m.dir)
	m.play(4, last)
	marks := make(map[string]int)
	for _, e := range m.topic(last) {
		marks[e.Marks.String()]++
	}
	if want := map[string]int{"": 4*movedRooms + movedPartitions, "start_unseen": movedRooms}; !maps.Equal(marks, want) {
		t.Errorf("events by their marks: %v, want %v", marks, want)
	}
	last.terminate(t)
}

// TestMemoryMark: what a mark says is what was written, and nothing that is no mark is taken for one.
func TestMemoryMark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	states := []memoryState{memoryHandingOver, memoryAtReplicas, memoryImporting, memoryImported, memoryLocal}
	for _, state := range states {
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

package store

import (
	"encoding/binary"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// resultSlots is how many results of commands a partition keeps: each takes the place of the one that was written so
// many before.
const resultSlots = 64

// CommandResult is what became of an operator's command. Whoever has given the command finds it by the ID.
type CommandResult struct {
	ID       [16]byte
	Outcomes []bridge.Outcome  // of Release and Purge
	Replayed []bridge.Emission // of Replay
}

// results writes what became of commands.
func (w *rowWriter) results(state *State, results []CommandResult) {
	for i := max(0, len(results)-resultSlots); i < len(results); i++ {
		w.put([]byte{tableResult, byte(state.Results % resultSlots)}, results[i].append([]byte{rowVersion}))
		state.Results++
	}
}

// append appends the byte form: id(16) { number problem emitted(1) [ kind lane sequence ] }* behind their count, and
// then likewise the replayed ones.
func (r *CommandResult) append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, r.ID[:]...), uint64(len(r.Outcomes)))
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		dst = record.AppendText(binary.AppendUvarint(dst, o.Number), o.Problem)
		if dst = record.AppendBool(dst, o.Emitted != nil); o.Emitted != nil {
			dst = appendEmission(dst, o.Emitted)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Replayed)))
	for i := range r.Replayed {
		dst = appendEmission(dst, &r.Replayed[i])
	}
	return dst
}

func appendEmission(dst []byte, e *bridge.Emission) []byte {
	return binary.AppendUvarint(record.AppendText(record.AppendText(dst, e.Kind), e.Lane), e.Sequence)
}

func readEmission(r *record.Reader) bridge.Emission {
	return bridge.Emission{Kind: r.Text(), Lane: r.Text(), Sequence: r.Uvarint()}
}

// readResult reads a result row.
func readResult(value []byte) (result CommandResult, err error) {
	if value, err = rowValue(value); err != nil {
		return result, err
	}
	r := record.NewReader(value, nil)
	result.ID = r.Bytes16()
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		o := bridge.Outcome{Number: r.Uvarint(), Problem: r.Text()}
		if r.Bool() {
			e := readEmission(&r)
			o.Emitted = &e
		}
		result.Outcomes = append(result.Outcomes, o)
	}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		result.Replayed = append(result.Replayed, readEmission(&r))
	}
	return result, r.Err()
}

package partitions

import "encoding/binary"

// A message of the intake is an input, or a bundle of them: the byte that no input begins with, the version of the
// form, and then the inputs, each behind its length as uvarint. Versions before there were bundles take the byte for
// that of a record of a newer one, and leave the partition to others.
const (
	bundleByte = 0x84
	bundleForm = 1
)

// MaxBundle is how many inputs a bundle has at most.
const MaxBundle = lastInput

// BundleOverhead is how many bytes a bundle has at most beside its inputs, for each of them and once more.
const BundleOverhead = binary.MaxVarintLen32

// Bundle returns the message of inputs, of which there are one to MaxBundle. The message of a single one is the input.
func Bundle(inputs [][]byte) []byte {
	if len(inputs) == 1 && (len(inputs[0]) == 0 || inputs[0][0] != bundleByte) {
		return inputs[0]
	}
	size := BundleOverhead
	for _, in := range inputs {
		size += BundleOverhead + len(in)
	}
	b := append(make([]byte, 0, size), bundleByte, bundleForm)
	for _, in := range inputs {
		b = append(binary.AppendUvarint(b, uint64(len(in))), in...)
	}
	return b
}

// unbundle returns the inputs of a message, which share its memory. What is no bundle that this version knows is one
// input: whoever decides it says so.
func unbundle(message []byte) [][]byte {
	if len(message) < 2 || message[0] != bundleByte || message[1] != bundleForm {
		return [][]byte{message}
	}
	var inputs [][]byte
	for rest := message[2:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) || len(inputs) == MaxBundle {
			return [][]byte{message}
		}
		rest = rest[n:]
		inputs = append(inputs, rest[:size:size])
		rest = rest[size:]
	}
	if inputs == nil {
		return [][]byte{message}
	}
	return inputs
}

// The position of an input is the sequence of its message and, in the lower 16 bits, its number there, but for the last
// one of a message, which has the number lastInput: what is read next behind it is another message.
const (
	inputBits = 16
	lastInput = 1<<inputBits - 1
)

// positionOf returns the position of an input of a message of so many.
func positionOf(sequence uint64, number, of int) uint64 {
	if number == of-1 {
		number = lastInput
	}
	return sequence<<inputBits | uint64(number)
}

// messageAt returns the sequence of the message that a position is in.
func messageAt(position uint64) uint64 { return position >> inputBits }

// needs returns the sequence up to which the stream must have been written for a position to be read next.
func needs(position uint64) uint64 {
	if sequence := messageAt(position); position&lastInput > 0 || sequence == 0 {
		return sequence
	}
	return messageAt(position) - 1
}

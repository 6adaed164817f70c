package bridge

// PartitionKey is what the partition of a stream's inputs follows from: domain, app and stream, one after the other
// without separators, so that a signature whose letters were moved between these fields stays in one partition. All
// lanes of a stream have the same.
func (l Lane) PartitionKey() []byte {
	return append(append(append(make([]byte, 0, 128), l.Domain...), l.App...), l.Stream...)
}

// Partition returns the partition, of so many, of the lane's inputs: the one that Kafka's own partitioner gives for its
// PartitionKey.
func (l Lane) Partition(partitions int) int {
	return int(murmur2(l.PartitionKey())&0x7fffffff) % partitions
}

// murmur2 is the hash of Kafka's partitioner: MurmurHash2, 32 bits, by Austin Appleby, with Kafka's seed.
func murmur2(data []byte) uint32 {
	const seed, multiplier, shift = 0x9747b28c, 0x5bd1e995, 24
	h := seed ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
		k *= multiplier
		k ^= k >> shift
		h = h*multiplier ^ k*multiplier
	}
	for i := len(data) - 1; i >= 0; i-- {
		h ^= uint32(data[i]) << (8 * i)
		if i == 0 {
			h *= multiplier
		}
	}
	h = (h ^ h>>13) * multiplier
	return h ^ h>>15
}

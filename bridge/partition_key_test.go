package bridge

import "testing"

// TestMurmur2: the values of Kafka's own test of its partitioner.
func TestMurmur2(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(text))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", text, got, want)
		}
	}
}

// TestPartitionOfBentSignature: whatever kind a callback is of, and however letters move between the fields that its
// signature covers without separators, it reaches the partition that knows the signature.
func TestPartitionOfBentSignature(t *testing.T) {
	t.Parallel()
	lane := Lane{Kind: KindStream, Domain: "push.example.com", App: "live", Stream: "room1"}
	bent := []Lane{
		{Kind: KindRecord, Domain: lane.Domain, App: lane.App, Stream: lane.Stream},
		{Kind: KindStream, Domain: lane.Domain, App: "liv", Stream: "eroom1"},
		{Kind: KindStream, Domain: lane.Domain + "live", App: "", Stream: "room1"},
	}
	for _, partitions := range []int{1, 2, 12, 97} {
		for _, other := range bent {
			if got, want := other.Partition(partitions), lane.Partition(partitions); got != want || got >= partitions {
				t.Errorf("%s is in partition %d of %d, want %d", other, got, partitions, want)
			}
		}
	}
}

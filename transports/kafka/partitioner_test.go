package kafka

import "testing"

// goldenPartitions are where the Java client's default partitioner sends records with these keys, of 12 and of 7
// partitions. TestJavaPartitions has it say so again.
func goldenPartitions() map[string][2]int {
	return map[string][2]int{
		"push.example.com/live/room1":                              {0, 2},
		"push.example.com/live/room2":                              {7, 2},
		"push.example.com/live/room-0":                             {1, 0},
		"push.example.com/%E7%9B%B4%E6%92%AD/a%20%22b%22%20100%25": {7, 6},
		"5de1234//u1":                {6, 4},
		"stream":                     {9, 3},
		"record":                     {10, 3},
		"snapshot":                   {3, 2},
		"rtc-record":                 {6, 2},
		"21":                         {0, 3},
		"foobar":                     {6, 0},
		"a-little-bit-longer-string": {11, 0},
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": {5, 3},
		"a":   {4, 5},
		"ab":  {2, 0},
		"abc": {3, 4},
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	for key, want := range goldenPartitions() {
		for i, n := range []int{12, 7} {
			if got := newLayout(&topic{}, n).partitionOf([]byte(key)).Number(); int(got) != want[i] {
				t.Errorf("key %q goes to partition %d of %d, the Java client's to %d", key, got, n, want[i])
			}
		}
	}
}

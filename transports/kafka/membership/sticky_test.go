package membership

import (
	"fmt"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go"
	"pgregory.net/rapid"
)

func member(id string, generation int32, partitions ...int) kafka.GroupMember {
	data, _ := sticky{func() holding { return holding{generation, partitions} }}.UserData()
	return kafka.GroupMember{ID: id, Topics: []string{"intake"}, UserData: data}
}

func numbered(n int) (out []kafka.Partition) {
	for i := range n {
		out = append(out, kafka.Partition{Topic: "intake", ID: i})
	}
	return out
}

// TestAssignments: shares are even, and a partition stays where it was if that allows it.
func TestAssignments(t *testing.T) {
	for _, c := range []struct {
		name       string
		members    []kafka.GroupMember
		partitions int
		want       map[string][]int
	}{
		{"first member", []kafka.GroupMember{member("a", 0)}, 3, map[string][]int{"a": {0, 1, 2}}},
		{"second member", []kafka.GroupMember{member("a", 1, 0, 1, 2), member("b", 0)}, 3,
			map[string][]int{"a": {0, 1}, "b": {2}}},
		{"third member", []kafka.GroupMember{member("a", 2, 0, 1), member("b", 2, 2, 3), member("c", 0)}, 4,
			map[string][]int{"a": {0, 1}, "b": {2}, "c": {3}}},
		{"one has left", []kafka.GroupMember{member("b", 3, 1), member("c", 3, 2)}, 3,
			map[string][]int{"b": {0, 1}, "c": {2}}},
		{"as many as before", []kafka.GroupMember{member("a", 3, 3, 1), member("b", 3, 2, 0)}, 4,
			map[string][]int{"a": {1, 3}, "b": {0, 2}}},
		{"a zombie's claim", []kafka.GroupMember{member("a", 3, 0, 1), member("b", 5, 0, 1, 2, 3)}, 4,
			map[string][]int{"a": {2, 3}, "b": {0, 1}}},
		{"more members than partitions", []kafka.GroupMember{member("a", 1, 0), member("b", 0), member("c", 0)}, 2,
			map[string][]int{"a": {0}, "b": {1}, "c": nil}},
		{"unreadable data", []kafka.GroupMember{{ID: "a", UserData: []byte{255}}, {ID: "b"}}, 2,
			map[string][]int{"a": {0}, "b": {1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sticky{}.AssignGroups(c.members, numbered(c.partitions))
			for id, want := range c.want {
				if !slices.Equal(got[id]["intake"], want) {
					t.Errorf("%s has %v; want %v", id, got[id]["intake"], want)
				}
			}
		})
	}
}

// TestSharesAreEven: whatever members claim, every partition is one member's, shares differ by one at most, and who
// claims alone what its share allows keeps all of it.
func TestSharesAreEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "partitions")
		var members []kafka.GroupMember
		for i := range rapid.IntRange(1, 6).Draw(t, "members") {
			claims := rapid.SliceOf(rapid.IntRange(0, n+2)).Draw(t, "claims")
			members = append(members, member(fmt.Sprint(i), int32(rapid.IntRange(0, 3).Draw(t, "generation")), claims...))
		}
		got, owner := sticky{}.AssignGroups(members, numbered(n)), make(map[int]string)
		for _, m := range members {
			share := got[m.ID]["intake"]
			if len(share) < n/len(members) || len(share) > n/len(members)+1 {
				t.Fatalf("%s has %d of %d partitions", m.ID, len(share), n)
			}
			for _, p := range share {
				if owner[p] != "" {
					t.Fatalf("%s and %s have %d", owner[p], m.ID, p)
				}
				owner[p] = m.ID
			}
		}
		if len(owner) != n {
			t.Fatalf("%d of %d partitions have an owner", len(owner), n)
		}
	})
}

// FuzzUserData: no member of the group makes another fall over.
func FuzzUserData(f *testing.F) {
	f.Add(member("a", 1, 2, 3).UserData)
	f.Fuzz(func(t *testing.T, data []byte) {
		members := []kafka.GroupMember{{ID: "a", UserData: data}, member("b", 0)}
		got := sticky{}.AssignGroups(members, numbered(3))
		if len(got["a"]["intake"])+len(got["b"]["intake"]) != 3 {
			t.Errorf("the shares are %v", got)
		}
	})
}

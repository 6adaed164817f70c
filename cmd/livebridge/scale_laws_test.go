package main

import (
	"math"
	"testing"
	"time"
)

// lawLayout is machines on which nothing is scarce.
func lawLayout(partitions, replicas int) scaleLayout {
	return scaleLayout{partitions: partitions, replicas: replicas, connections: 64 * replicas, sending: 2 * time.Second,
		replica: 1, broker: 1, sender: 64, slots: 2, wait: 100 * time.Millisecond, batch: 100}
}

// TestScaleModel: the simulation comes to what can be told without it, where one thing holds up all the rest.
func TestScaleModel(t *testing.T) {
	t.Parallel()
	cheap := scaleCosts{send: 3200 * time.Microsecond, accept: time.Microsecond, apply: time.Microsecond,
		commit: time.Microsecond, store: 2 * time.Microsecond, transact: time.Microsecond}
	costly := func(change func(*scaleCosts)) scaleCosts { c := cheap; change(&c); return c }
	broker := costly(func(c *scaleCosts) { c.store = time.Millisecond })
	replicas := costly(func(c *scaleCosts) { c.accept, c.apply = 600*time.Microsecond, 400*time.Microsecond })
	sender := costly(func(c *scaleCosts) { c.send = time.Millisecond })
	slow := costly(func(c *scaleCosts) { c.settle = 50 * time.Millisecond })
	everything := scaleCosts{send: 100 * time.Microsecond, accept: 300 * time.Microsecond, apply: 200 * time.Microsecond,
		store: 400 * time.Microsecond}
	for _, test := range []struct {
		name  string
		costs scaleCosts
		set   func(*scaleLayout)
		p, r  int
		want  float64
		bound string
	}{
		{"a core of the broker does a thousand", broker, nil, 1, 1, 1000, "broker"},
		{"more replicas and partitions do not help it", broker, nil, 12, 4, 1000, "broker"},
		{"more cores of the broker do", broker, func(l *scaleLayout) { l.broker = 4 }, 12, 4, 4000, "broker"},
		{"a replica does a thousand", replicas, nil, 12, 1, 1000, "replicas"},
		{"four do four times as much", replicas, nil, 12, 4, 4000, "replicas"},
		{"four do less where one of them owns nothing", replicas, nil, 3, 4, 3529, "replicas"},
		{"a partition commits a batch in the time of a transaction", slow, nil, 1, 1, 2000, "turns"},
		{"two do twice as much", slow, nil, 2, 1, 4000, "turns"},
		{"four have two turns", slow, nil, 4, 1, 4000, "turns"},
		{"and four at two replicas", slow, nil, 4, 2, 8000, "turns"},
		{"nobody waits long for a turn", slow, func(l *scaleLayout) { l.wait = 0 }, 4, 1, 8000, "turns"},
		{"who sends holds it up", sender, func(l *scaleLayout) { l.sender = 1 }, 4, 1, 1000, "turns"},
		{"one machine does all of it", everything, func(l *scaleLayout) { l.shared = 2 }, 4, 2, 2000, "machine"},
	} {
		layout := lawLayout(test.p, test.r)
		if test.set != nil {
			test.set(&layout)
		}
		got := simulateScale(test.costs, layout)
		if math.Abs(got.published/test.want-1) > 0.05 || got.bound != test.bound {
			t.Errorf("%s: %.0f a second, %s; want %.0f, %s", test.name, got.published, got.bound, test.want, test.bound)
		}
	}
}

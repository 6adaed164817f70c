package main

import "time"

// scaleCosts is what replicas on Kafka cost, as BenchmarkScaleReplicas measures it: times of one core, but for the last
// two.
type scaleCosts struct {
	send     time.Duration // who sends, for a callback
	accept   time.Duration // the replica that takes a callback, for it
	apply    time.Duration // the owner of its partition, for a callback
	commit   time.Duration // the owner, for a transaction
	store    time.Duration // the broker, for a callback: its records in the intake, the state and the events
	transact time.Duration // the broker, for a transaction

	acknowledge time.Duration // how long the broker's answer to a callback takes beyond these
	settle      time.Duration // how long a transaction takes beyond these
}

// scaleLayout is the machines that are simulated, and what runs there.
type scaleLayout struct {
	partitions, replicas int
	connections          int           // that send, spread over the replicas
	sending              time.Duration // how long they do

	// The cores of each replica, of the broker and of what sends; or those of the one machine that all of them are on.
	replica, broker, sender int
	shared                  int

	slots int           // partitions of a replica that commit at once
	wait  time.Duration // how long a partition waits for its turn at most
	batch int           // callbacks in a transaction, at most
}

// scaleModel is a simulation of replicas on Kafka. Connections send one callback after the other. Its replica accepts
// it, the broker stores it in the intake, and it is answered. The owner of its partition decides whatever waits there,
// in one transaction at a time, while it has one of the replica's turns.
//
// Processors, turns and the size of a transaction are all that is modeled. Left out are replication, networks, disks,
// what the broker's locks cost (many cores of one broker do less in fact), and that some partitions have more to do
// than others: here each gets as many callbacks.
type scaleModel struct {
	costs      scaleCosts
	layout     scaleLayout
	clock      modelClock
	sender     *modelProcess
	broker     *modelProcess
	replicas   []*modelReplica
	partitions []*modelPartition

	accepted, published, commits int
}

// modelReplica has turns for its partitions.
type modelReplica struct {
	process *modelProcess
	free    int
	line    []*modelTurn
}

// modelPartition is what waits in the intake.
type modelPartition struct {
	owner *modelReplica
	inbox int
	busy  bool
}

// modelTurn is a partition that waits for its turn.
type modelTurn struct {
	of   *modelPartition
	gone bool
}

// scaleResult is what a simulation has come to.
type scaleResult struct {
	accepted, published float64 // callbacks a second, the second until all were published
	each                float64 // callbacks in a transaction
	bound               string  // what was busy nearly all the time: machine, broker, replicas, or turns if nothing was
}

// boundAbove is the part of the time that something is busy when it is what holds up the rest.
const boundAbove = 0.85

// simulateScale runs a simulation from the first callback until all are published.
func simulateScale(costs scaleCosts, layout scaleLayout) scaleResult {
	m := newScaleModel(costs, layout)
	for n := range layout.connections {
		m.connect(m.replicas[n%layout.replicas])
	}
	for m.clock.next() {
	}
	return scaleResult{
		accepted:  float64(m.accepted) / layout.sending.Seconds(),
		published: float64(m.published) / m.clock.now.Seconds(),
		each:      float64(m.published) / float64(m.commits),
		bound:     m.bound(),
	}
}

func newScaleModel(costs scaleCosts, l scaleLayout) *scaleModel {
	m := &scaleModel{costs: costs, layout: l}
	shared := &modelMachine{clock: &m.clock, cores: l.shared}
	place := func(cores int) *modelProcess {
		if l.shared > 0 {
			return shared.begin()
		}
		return (&modelMachine{clock: &m.clock, cores: cores}).begin()
	}
	m.sender, m.broker = place(l.sender), place(l.broker)
	for range l.replicas {
		m.replicas = append(m.replicas, &modelReplica{process: place(l.replica), free: l.slots})
	}
	for n := range l.partitions {
		m.partitions = append(m.partitions, &modelPartition{owner: m.replicas[n%l.replicas]})
	}
	return m
}

// connect sends the next callback of a connection. Of the broker's work for a callback one half comes before the
// answer; how much it is does not matter as long as callbacks are sent faster than they are published.
func (m *scaleModel) connect(r *modelReplica) {
	if m.clock.now >= m.layout.sending {
		return
	}
	m.sender.work(m.costs.send, func() {
		r.process.work(m.costs.accept, func() {
			m.broker.work(m.costs.store/2, func() {
				m.clock.after(m.costs.acknowledge, func() {
					m.arrive(m.partitions[m.accepted%len(m.partitions)])
					m.connect(r)
				})
			})
		})
	})
}

// arrive puts a callback into the intake.
func (m *scaleModel) arrive(p *modelPartition) {
	p.inbox++
	m.accepted++
	if !p.busy {
		p.busy = true
		m.turn(p)
	}
}

// turn has a partition read what waits for it and commit that, as cluster does: while others have the turns it waits,
// and then reads once more.
func (m *scaleModel) turn(p *modelPartition) {
	if p.inbox == 0 {
		p.busy = false
		return
	}
	m.request(p, 0, func() {
		if p.owner.free > 0 {
			p.owner.free--
			m.commit(p, true)
			return
		}
		waiting := &modelTurn{of: p}
		p.owner.line = append(p.owner.line, waiting)
		m.clock.after(m.layout.wait, func() {
			if !waiting.gone {
				waiting.gone = true
				m.request(p, 0, func() { m.commit(p, false) })
			}
		})
	})
}

// transactionRequests are those of a partition, one after the other: read, add the partitions, write, end.
const transactionRequests = 4

// request is one of them, to write so many callbacks; the others write none.
func (m *scaleModel) request(p *modelPartition, callbacks int, done func()) {
	p.owner.process.work(m.costs.commit/transactionRequests+times(callbacks, m.costs.apply), func() {
		m.broker.work(m.costs.transact/transactionRequests+times(callbacks, m.costs.store/2), done)
	})
}

func times(n int, each time.Duration) time.Duration { return time.Duration(n) * each }

// commit is a transaction of what was read.
func (m *scaleModel) commit(p *modelPartition, slot bool) {
	n := min(p.inbox, m.layout.batch)
	p.inbox -= n
	settled := func() { m.clock.after(m.costs.settle, func() { m.committed(p, n, slot) }) }
	write := func() { m.request(p, n, func() { m.request(p, 0, settled) }) }
	m.request(p, 0, write)
}

// committed ends a transaction.
func (m *scaleModel) committed(p *modelPartition, n int, slot bool) {
	m.published += n
	m.commits++
	if slot {
		m.pass(p.owner)
	}
	m.turn(p)
}

// pass gives a turn to the partition that has waited longest.
func (m *scaleModel) pass(r *modelReplica) {
	for len(r.line) > 0 {
		next := r.line[0]
		r.line = r.line[1:]
		if !next.gone {
			next.gone = true
			m.request(next.of, 0, func() { m.commit(next.of, true) })
			return
		}
	}
	r.free++
}

// bound tells what is busy nearly all the time.
func (m *scaleModel) bound() string {
	replicas := 0.0
	for _, r := range m.replicas {
		replicas = max(replicas, r.process.on.used())
	}
	switch {
	case m.layout.shared > 0 && m.broker.on.used() > boundAbove:
		return "machine"
	case m.layout.shared == 0 && m.broker.on.used() > boundAbove:
		return "broker"
	case m.layout.shared == 0 && replicas > boundAbove:
		return "replicas"
	}
	return "turns"
}

package producer

// State is what a producer does for one partition, at one moment.
type State struct {
	Leader       int32
	Waiting      int  // records that wait for the batch in flight, or for a request
	Scheduled    bool // the next request to its leader takes what waits
	Recovering   bool // a batch is resent until its outcome is known
	NextSequence int32
}

// State returns the state of a partition. NextSequence is known while no batch is in flight.
func (s *Producer) State(p *Partition) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{Leader: p.leader, Waiting: len(p.queue), Scheduled: p.queuedAt != nil, Recovering: p.recovering != nil}
	if !p.busy {
		state.NextSequence = p.nextSequence
	}
	return state
}

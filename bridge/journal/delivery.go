package journal

import (
	"livebridge/bridge"
	"livebridge/bridge/store"
)

// Deliveries implements bridge.JournalAdmin.
func (j *Journal) Deliveries(emissions []bridge.Emission) (out []bridge.Delivery, err error) {
	err = j.read(func() error {
		for _, e := range emissions {
			d, err := j.delivery(e)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

func (j *Journal) delivery(e bridge.Emission) (bridge.Delivery, error) {
	if j.mode != online {
		return bridge.Delivery{State: bridge.DeliveryWaiting}, nil
	}
	lane, err := store.LaneOf(e.Kind, e.Lane)
	if err != nil {
		return bridge.Delivery{}, err
	}
	return j.outbox.Delivery(lane, e.Sequence)
}

package journal

import (
	"errors"

	"livebridge/bridge"
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
	prefix, err := outboxPrefix(e.Kind, e.Lane)
	if err != nil {
		return bridge.Delivery{}, err
	}
	if len(prefix) < 2 {
		return bridge.Delivery{}, errors.New("emission without kind or lane")
	}
	lane, err := laneOf(prefix[:len(prefix)-1])
	if err != nil {
		return bridge.Delivery{}, err
	}
	return j.outbox.Delivery(lane, e.Sequence)
}

package provider

import "strconv"

// pageSize is how much is asked for at once: the most that the provider allows.
const pageSize = 100

// pages calls get for page after page until it has as many as the provider says that there are, or an empty page, or,
// when the provider does not say, a page that is not full.
func pages[T any](get func(offset, limit int32) (page []T, total int, err error)) ([]T, error) {
	var all []T
	for {
		page, total, err := get(int32(len(all)), pageSize)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if total == 0 { // it does not say
			total = len(all) + len(page) - pageSize + 1
		}
		if len(page) == 0 || len(all) >= total {
			return all, nil
		}
	}
}

// value returns what an optional member holds, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// optional returns an optional member of a request, which is left out when empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// enum returns a member of one of the SDK's enumerations, which takes any text when it is decoded: that way it can be
// one that the SDK has no name for. It returns nil for no text.
func enum[T any, P interface {
	*T
	UnmarshalJSON([]byte) error
}](text string) *T {
	if text == "" {
		return nil
	}
	member := new(T)
	_ = P(member).UnmarshalJSON([]byte(strconv.Quote(text))) // fails for values that are no string alone
	return member
}

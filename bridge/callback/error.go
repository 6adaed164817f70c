package callback

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// fieldMax bounds how much of a member's name an error repeats: the name is the sender's.
const fieldMax = 64

// Error is why a body is not a callback; the response is 400. It contains no value from the body.
type Error struct {
	Field   string // the sender's name of the member; "" when it is about the body as a whole
	Problem string // what is wrong with it and what to send instead
}

// Error names the member and says what is wrong with it and what to do.
func (e *Error) Error() string {
	if e.Field == "" {
		return "body " + e.Problem
	}
	return "member " + strconv.Quote(e.Field) + " " + e.Problem
}

func newError(field, format string, args ...any) *Error {
	return &Error{Field: field[:min(len(field), fieldMax)], Problem: fmt.Sprintf(format, args...)}
}

// syntaxError turns the JSON library's error into one for the sender of the body.
func syntaxError(err error) *Error {
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return newError("", "is empty; send one JSON object")
	case !errors.As(err, &s):
		return newError("", "is not valid JSON: %v", err)
	case errors.Is(s.Err, jsontext.ErrDuplicateName):
		return newError(s.JSONPointer.LastToken(), "is there twice; send every member once")
	default:
		return newError("", "is not valid JSON at byte %d: %v", s.ByteOffset, s.Err)
	}
}

package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// driverError is an error of a driver.
type driverError struct{ number int }

func (e *driverError) Error() string { return fmt.Sprint("error ", e.number) }

// classes are all that say what became of a call.
var classes = []error{
	fault.ErrInvalid, fault.ErrMismatch, fault.ErrOverflow, fault.ErrDrift,
	fault.ErrUnknown, fault.ErrUnavailable, fault.ErrBusy, fault.ErrStore,
}

// TestWhatWasDoneAndCouldNotBeReadIsUnknown, and nothing that says that nothing was done; the cause can be found.
func TestWhatWasDoneAndCouldNotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	require.NoError(t, fault.Unread(nil))
	for _, class := range classes {
		for _, cause := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, &driverError{2013}} {
			err := fault.Unread(fmt.Errorf("%w: %w", class, cause))
			require.ErrorIs(t, err, cause)
			require.ErrorContains(t, err, cause.Error())
			require.True(t, fault.Retryable(err))
			for _, other := range classes {
				require.Equal(t, other == fault.ErrUnknown, errors.Is(err, other), "%v as %v", err, other) //nolint:errorlint // the very value
			}
		}
		driver, ok := fault.As[*driverError](fault.Unread(fmt.Errorf("%w: %w", class, &driverError{2013})))
		require.True(t, ok)
		require.Equal(t, 2013, driver.number)
	}
}

// TestWhatIsDoneForOthersIsNotTheCall: that nobody knows what became of it says nothing of the call.
func TestWhatIsDoneForOthersIsNotTheCall(t *testing.T) {
	t.Parallel()
	require.NoError(t, fault.Unsent(nil))
	err := fault.Unsent(fmt.Errorf("%w: %w", fault.ErrUnknown, context.DeadlineExceeded))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for _, class := range classes {
		require.Equal(t, class == fault.ErrUnavailable, errors.Is(err, class), class) //nolint:errorlint // the very value
		if class != fault.ErrUnknown {                                                //nolint:errorlint // the very value
			require.ErrorIs(t, fault.Unsent(class), class)
		}
	}
}

package octokit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// Example is one of GitHub's example webhooks.
type Example struct {
	Event   string
	Payload json.RawMessage
}

// Locate ensures that the inputs are in the module's own cache.
func Locate(ctx context.Context) (Files, error) {
	dir, err := Dir()
	if err != nil {
		return Files{}, err
	}
	return Ensure(ctx, dir)
}

// ReadExamples reads the example webhooks, in the file's order.
func (f Files) ReadExamples() ([]Example, error) {
	data, err := os.ReadFile(f.Examples)
	if err != nil {
		return nil, fmt.Errorf("read example webhooks: %w", err)
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(data, &events); err != nil {
		return nil, fmt.Errorf("read example webhooks: %w", err)
	}
	var list []Example
	for _, e := range events {
		for _, payload := range e.Examples {
			list = append(list, Example{Event: e.Name, Payload: payload})
		}
	}
	return list, nil
}

package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-go/holdfast/stock/event"
)

// Kafka passes events on to a topic.
type Kafka struct {
	client *kgo.Client
	topic  string
}

// OpenKafka returns a producer for a topic. Each record has the queue of its event as its key, so that the events of a queue are in
// one partition. Records are acknowledged by all replicas that are in sync, and the producer is idempotent. Where a record fails for
// good, the client fails all of its partition that are behind it, so that none overtakes another (kgo.RecordRetries):
// https://pkg.go.dev/github.com/twmb/franz-go/pkg/kgo#RecordRetries
func OpenKafka(brokers []string, topic string) (*Kafka, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RequiredAcks(kgo.AllISRAcks()))
	return &Kafka{client, topic}, err
}

// Close closes the producer.
func (k *Kafka) Close() { k.client.Close() }

// Send is an event.BatchHandler. It returns nil once all events are acknowledged: until then they are not done, and come again.
func (k *Kafka) Send(ctx context.Context, events []event.Event) error {
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		value, err := encode(e)
		if err != nil {
			return err
		}
		records[i] = &kgo.Record{
			Topic: k.topic, Key: []byte(e.Queue), Value: value, Headers: []kgo.RecordHeader{{Key: idHeader, Value: []byte(idOf(e))}},
		}
	}
	return k.client.ProduceSync(ctx, records...).FirstErr()
}

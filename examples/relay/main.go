// Relay passes the events of a shop on to Kafka, to a webhook, or to both, and loses none.
//
//	go -C examples/relay run . -dsn 'user:password@tcp(127.0.0.1:3306)/shop' -brokers 127.0.0.1:9092 -topic shop.events
//	go -C examples/relay run . -dsn 'user:password@tcp(127.0.0.1:3306)/shop' -webhook https://erp.example/holdfast
//
// An event is done once every receiver has it. A relay that dies before that leaves a lease, and another one is given the event when
// that ends. So each event arrives at least once, and the events of one item, order, team or coupon in their order. What
// arrives twice has the same ID.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock/event"
)

// settings are the flags of the program.
type settings struct {
	dsn, prefix, brokers, topic, webhook string

	event.Options
}

func main() {
	s := settings{Options: event.Options{OnError: func(err error) { log.Print(err) }}}
	flag.StringVar(&s.dsn, "dsn", "", "the database of the shop")
	flag.StringVar(&s.prefix, "prefix", "", "of the tables, as sqlstore.Options has it")
	flag.StringVar(&s.brokers, "brokers", "", "of Kafka, separated by commas")
	flag.StringVar(&s.topic, "topic", "shop.events", "for Kafka")
	flag.StringVar(&s.webhook, "webhook", "", "the URL of a webhook")
	flag.IntVar(&s.Batch, "batch", event.DefaultBatch, "events at once")
	flag.DurationVar(&s.LeaseFor, "lease", event.DefaultLeaseFor, "how long they may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := s.run(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

// run relays until the context ends.
func (s settings) run(ctx context.Context) error {
	db, err := sql.Open("mysql", s.dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var to []event.BatchHandler
	if s.brokers != "" {
		kafka, err := OpenKafka(strings.Split(s.brokers, ","), s.topic)
		if err != nil {
			return err
		}
		defer kafka.Close()
		to = append(to, kafka.Send)
	}
	if s.webhook != "" {
		to = append(to, (&Webhook{s.webhook, &http.Client{Timeout: 10 * time.Second}}).Send)
	}
	if len(to) == 0 {
		return errors.New("nobody is to have the events: name -brokers or -webhook")
	}
	return event.New(sqlstore.NewEvents(db, &sqlstore.Options{Prefix: s.prefix}), &s.Options).RunBatch(ctx, all(to))
}

// all gives events to each receiver in turn. Where one fails, they all have the events once more.
func all(to []event.BatchHandler) event.BatchHandler {
	return func(ctx context.Context, events []event.Event) error {
		for _, send := range to {
			if err := send(ctx, events); err != nil {
				return err
			}
		}
		return nil
	}
}

package fakegithub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// getDeliveries serves GET /app/hook/deliveries: newest first, with a cursor.
func (c *call) getDeliveries() reply {
	size, _, err := pageOf(c.r.URL.Query())
	if err != nil {
		return failure(http.StatusUnprocessableEntity, err.Error())
	}
	below := int64(1<<63 - 1)
	if cursor := c.query("cursor"); cursor != "" {
		if below, err = strconv.ParseInt(strings.TrimPrefix(cursor, "v1_"), 10, 64); err != nil {
			return failure(http.StatusUnprocessableEntity, "Invalid cursor")
		}
	}
	list := []object{}
	header := http.Header{}
	var last int64
	for _, d := range slices.Backward(c.state.deliveries) {
		if wanted := c.query("status"); d.ID >= below || wanted != "" && (wanted == "success") != d.delivered() {
			continue
		}
		if len(list) == size {
			q := url.Values{"per_page": {fmt.Sprint(size)}, "cursor": {fmt.Sprintf("v1_%d", last)}}
			if c.query("status") != "" {
				q.Set("status", c.query("status"))
			}
			header.Set("Link", fmt.Sprintf(`<%s/app/hook/deliveries?%s>; rel="next"`, c.url, q.Encode()))
			break
		}
		list, last = append(list, d.json()), d.ID
	}
	return reply{status: http.StatusOK, header: header, body: list}
}

// delivered tells whether the receiver took it.
func (d *delivery) delivered() bool { return d.Status >= 200 && d.Status < 300 }

func (d *delivery) json() object {
	status := "OK"
	switch {
	case d.Status == 0:
		status = "failed to connect to host"
		if strings.Contains(d.Err, "deadline") || strings.Contains(d.Err, "timed out") {
			status = "timed out"
		}
	case !d.delivered():
		status = fmt.Sprintf("Invalid HTTP Response: %d", d.Status)
	}
	return object{
		"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.Delivered), "redelivery": d.Redelivery,
		"duration": d.Duration.Seconds(),
		"status":   status, "status_code": d.Status, "event": d.Event, "action": orNull(d.Action),
		"installation_id": idOrNull(d.installation), "repository_id": idOrNull(d.repository), "throttled_at": nil,
	}
}

func idOrNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func (c *call) pathDelivery() *delivery {
	id := c.number("delivery_id")
	for _, d := range c.state.deliveries {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// getDelivery serves GET /app/hook/deliveries/{delivery_id}, with both messages.
func (c *call) getDelivery() reply {
	d := c.pathDelivery()
	if d == nil {
		return notFound()
	}
	out := d.json()
	out["url"] = c.opts.WebhookURL
	var payload any
	if err := json.Unmarshal(d.payload, &payload); err != nil {
		payload = nil
	}
	if _, isObject := payload.(object); !isObject {
		payload = nil
	}
	out["request"] = object{"headers": flat(d.request), "payload": payload}
	out["response"] = object{"headers": flat(d.response), "payload": orNull(d.Answer)}
	return ok(out)
}

// flat is a header as GitHub logs it; nil when there was none.
func flat(h http.Header) any {
	if h == nil {
		return nil
	}
	out := object{}
	for name := range h {
		out[name] = h.Get(name)
	}
	return out
}

// redeliver serves POST /app/hook/deliveries/{delivery_id}/attempts: accepted at
// once and delivered later, with the GUID of the first attempt.
func (c *call) redeliver() reply {
	d := c.pathDelivery()
	if d == nil {
		return notFound()
	}
	c.later(d.Event, d.payload, DeliveryOptions{GUID: d.GUID, Redelivery: true})
	return reply{status: http.StatusAccepted, body: object{}}
}

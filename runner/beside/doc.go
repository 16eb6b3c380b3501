// Package beside reads the copies of results that come beside the console, for lines that lose or garble what a test
// reports. The helpers in the target write each result to the console and, where the device file asks for it, to a
// second place as well: a virtio serial port, which the target's driver opens as a plain stream, or a file of the
// target that a Tail follows by ssh. Either stream goes into a Record, which a test follows while it runs.
//
// Nobody waits for these ways: where one is missing or breaks, the console alone has the results.
package beside

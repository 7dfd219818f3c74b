// A request that waits, and its place in the queue.
#pragma once

#include "asio.hpp"

#include <list>
#include <string>
#include <utility>

namespace guide {

// [waiting_request]
class waiting_request;
using request_queue = std::list<waiting_request*>;

// One request for as long as it waits: constructing it enters it, destroying it takes it out, and what was not written
// by then never will be. A local variable of the coroutine that waits.
class waiting_request {
public:
    waiting_request(std::string code, request_queue& backlog, wakeup& writer)
        : code_(std::move(code))
        , queue_(&backlog)
        , place_(backlog.insert(backlog.end(), this))
        , writer_(writer)
    {
        writer_.try_send(error_code());
    }
    ~waiting_request()
    {
        queue_->erase(place_);
        writer_.try_send(error_code()); // there may be a place in the window for another
    }
    waiting_request(const waiting_request&) = delete;
    waiting_request& operator=(const waiting_request&) = delete;

    const std::string& code() const { return code_; }

    void move_to(request_queue& queue, request_queue::iterator before)
    {
        queue.splice(before, *queue_, place_);
        queue_ = &queue;
    }

private:
    std::string code_;
    request_queue* queue_; // in which it stands
    request_queue::iterator place_;
    wakeup& writer_;
};
// [/waiting_request]

} // namespace guide

#include "upstream/multiplexer.hpp"

#include "codes/request.hpp"

#include <algorithm>
#include <utility>

namespace causeway::upstream {

waiting_request::waiting_request(multiplexer& multiplexer, codes::code code)
    : multiplexer_(multiplexer)
    , code_(code)
    , queue_(&multiplexer.queue_for(*this))
{
    queue_->push_back(*this);
    multiplexer_.distribute();
}

waiting_request::~waiting_request()
{
    if (multiplexer_.coalesces_)
        multiplexer_.replace(*this);
    queue_->erase(request_queue::s_iterator_to(*this));
    multiplexer_.distribute();
}

void waiting_request::move_to(request_queue& queue)
{
    queue_->erase(request_queue::s_iterator_to(*this));
    queue_ = &queue;
    queue_->push_back(*this);
}

void waiting_request::answered_by(lane& from)
{
    if (multiplexer_.coalesces_ || queue_ == &from.on_the_wire_)
        return;
    const auto robbed = std::ranges::find(from.on_the_wire_, code_, &waiting_request::code_);
    if (robbed != from.on_the_wire_.end())
        robbed->move_to(*queue_);
}

request_queue& multiplexer::queue_for(waiting_request& request)
{
    if (!coalesces_)
        return backlog_;
    auto& [asker, others] = questions_[request.code_];
    if (asker != nullptr)
        return others;
    asker = &request;
    return backlog_;
}

// Who asks leaves: the next of those who want to know takes its place, or asks again if it has been written.
void multiplexer::replace(waiting_request& leaving)
{
    const auto found = questions_.find(leaving.code_);
    if (found == questions_.end() || found->second.asker != &leaving)
        return;
    auto& [asker, others] = found->second;
    if (others.empty()) {
        questions_.erase(found);
        return;
    }
    asker = &others.front();
    others.pop_front();
    const bool written = std::ranges::any_of(lanes_, [&](lane* lane) { return leaving.queue_ == &lane->on_the_wire_; });
    asker->queue_ = written ? &backlog_ : leaving.queue_;
    asker->queue_->insert(written ? backlog_.begin() : request_queue::s_iterator_to(leaving), *asker);
}

void multiplexer::answered(codes::code code)
{
    const auto found = questions_.find(code);
    if (found == questions_.end())
        return;
    auto& [asker, others] = found->second;
    asker->move_to(answered_);
    for (auto& request : others)
        request.queue_ = &answered_;
    answered_.splice(answered_.end(), others);
    questions_.erase(found);
    distribute();
}

void multiplexer::open(lane& lane)
{
    lanes_.push_back(&lane);
    lane.question_due_ = !lane.trusted_ && lane.last_written_;
    distribute();
}

std::size_t multiplexer::close(lane& lane)
{
    std::erase(lanes_, &lane);
    const auto written = lane.on_the_wire_.size();

    // Whoever has a connection came before the backlog, and the written came before the rest.
    request_queue in_order;
    for (auto* queue : {&lane.on_the_wire_, &lane.outbox_, &backlog_})
        in_order.splice(in_order.end(), *queue);
    backlog_.swap(in_order);
    for (auto& request : backlog_)
        request.queue_ = &backlog_;

    distribute();
    return written;
}

void multiplexer::trust(lane& lane)
{
    if (!std::exchange(lane.trusted_, true))
        distribute();
}

void multiplexer::take(lane& lane, std::string& wire)
{
    if (std::exchange(lane.question_due_, false))
        codes::append_request(*lane.last_written_, wire);
    while (!lane.outbox_.empty()) {
        auto& request = lane.outbox_.front();
        codes::append_request(request.code_, wire);
        lane.last_written_ = request.code_;
        request.move_to(lane.on_the_wire_);
    }
}

// Everything that changes who waits where ends here: while there is a backlog and room, the two meet.
void multiplexer::distribute()
{
    while (!backlog_.empty()) {
        auto* lane = least_busy_lane();
        if (lane == nullptr)
            return;
        backlog_.front().move_to(lane->outbox_);
        if (lane->outbox_.size() == 1)
            lane->wake_();
    }
}

// Of the lanes that have room; one that is not trusted only where no trusted one is open.
lane* multiplexer::least_busy_lane() const
{
    const bool any_trusted = std::ranges::any_of(lanes_, &lane::trusted_);
    lane* least = nullptr;
    for (auto* lane : lanes_)
        if (lane->waiting() < window_ && (lane->trusted_ || !any_trusted) &&
            (least == nullptr || lane->waiting() < least->waiting()))
            least = lane;
    return least;
}

} // namespace causeway::upstream

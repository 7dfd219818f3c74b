#include "http/connection_log.hpp"

#include <utility>

namespace causeway::http {
namespace {

// A target of up to so many characters leaves its memory to the next one.
constexpr std::size_t usual_target = 384;

} // namespace

void connection_log::prepare(request& request)
{
    if (recorder_ == nullptr || !recorder_->wants_next())
        return request.access.reset();
    if (peer_.empty() && recorder_->wants_peers())
        peer_ = connection_.peer();
    if (!request.access)
        request.access = spare_ ? std::move(spare_) : std::make_unique<access>();
    request.access->restart();
    if (recorder_->wants_details())
        request.access->note_details();
    request.access->session = number_;
}

std::string_view connection_log::answered(request& request, const response& response, bool head_only)
{
    auto& access = *unsent_.emplace_back(std::move(request.access));
    access.target.swap(request.target);
    access.version = request.version;
    access.status = static_cast<unsigned>(response.status);
    access.bytes = head_only ? 0 : response.body.size();
    if (access.id.empty() && recorder_ != nullptr)
        recorder_->make_id(access.id);
    return access.id;
}

void connection_log::record(bool sent)
{
    if (unsent_.empty())
        return;
    const auto now = clock::now();
    for (auto& access : unsent_) {
        access->sent = sent;
        access->ended_at = now;
        if (recorder_ != nullptr)
            recorder_->record(*access, peer_);
    }
    if (unsent_.front()->target.capacity() <= usual_target)
        spare_ = std::move(unsent_.front());
    unsent_.clear();
}

} // namespace causeway::http

#include "service/access_log.hpp"

#include <fmt/format.h>

#include <chrono>
#include <random>
#include <utility>

namespace causeway::service {
namespace {

// In 16 hexadecimal digits, so many that no two event loops, in any process, arrive at the same ids.
std::string random_id()
{
    std::random_device device;
    return fmt::format("{:08x}{:08x}", device(), device());
}

} // namespace

access_log::access_log(access_writer& writer, std::shared_ptr<access_file> file, log_format format)
    : writer_(writer)
    , file_(std::move(file))
    , format_(format)
    , line_(format)
    , batches_{std::make_shared<access_batch>(), std::make_shared<access_batch>()}
    , last_id_(random_id())
{
    for (const auto& batch : batches_)
        batch->lines = std::make_unique_for_overwrite<char[]>(most_in_a_batch + access_line::longest);
    line_.set_clock(clock::now(), std::chrono::system_clock::now());
}

// Lines recorded before go to the old file if the writer has time for it, otherwise to the new one.
void access_log::use(std::shared_ptr<access_file> file, log_format format)
{
    hand_over();
    file_ = std::move(file);
    format_ = format;
    line_ = access_line(format);
    line_.set_clock(clock::now(), std::chrono::system_clock::now());
}

// Counts on in hexadecimal digits.
void access_log::make_id(std::string& id)
{
    for (auto digit = last_id_.rbegin(); digit != last_id_.rend(); ++digit) {
        *digit = *digit == '9' ? 'a' : *digit == 'f' ? '0' : static_cast<char>(*digit + 1);
        if (*digit != '0')
            break;
    }
    id = last_id_;
}

void access_log::record(const http::access& access, std::string_view peer)
{
    const bool has_room = !is_with_writer(filling_) && filling().size < most_in_a_batch;
    if (!has_room && !hand_over()) {
        ++lost_;
        ++untold_;
        return;
    }
    auto& batch = filling();
    const auto* const end = line_.write(access, peer, batch.lines.get() + batch.size);
    batch.size = static_cast<std::size_t>(end - batch.lines.get());
}

void access_log::sweep()
{
    line_.set_clock(clock::now(), std::chrono::system_clock::now());
    hand_over();
}

void access_log::flush()
{
    if (file_ && !is_with_writer(filling_)) { // without a file, lost lines are reported to the next one
        filling().lost_before += std::exchange(untold_, 0);
        send();
    }
    file_.reset(); // one that was moved away is closed soon
}

std::uint64_t access_log::lost() const noexcept
{
    return lost_ + batches_[0]->lost_ever.load() + batches_[1]->lost_ever.load();
}

// Continues with the other batch. False while the writer has that one.
bool access_log::hand_over()
{
    const auto other = 1 - filling_;
    if (is_with_writer(other))
        return false;
    if (!is_with_writer(filling_))
        send();
    filling_ = other;
    filling().lost_before = std::exchange(untold_, 0);
    return true;
}

void access_log::send()
{
    auto& batch = filling();
    if (batch.size == 0 && batch.lost_before == 0)
        return;
    batch.file = file_;
    batch.format = format_;
    writer_.write(batches_[filling_]);
}

} // namespace causeway::service

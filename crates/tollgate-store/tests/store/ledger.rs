//! Calls are booked once, added up, found again, and forgotten by their age.

use tollgate_model::RecordId;
use tollgate_store::{By, CallsQuery, Engine, Entry, UsageQuery};

use crate::Bed;

/// 2026-11-25 10:00 UTC.
const BEGUN_US: u64 = 1_795_600_800_000_000;
const HOUR_US: u64 = 3_600_000_000;

fn call(number: u32, at_us: u64) -> Entry<'static> {
    let mut usage = [None; 14];
    usage[0] = Some(u64::from(number));
    usage[6] = Some(7);
    Entry {
        id: RecordId::new(at_us, 1, number),
        at_us,
        request_id: format!("req-{number}").into(),
        team: Some(if number.is_multiple_of(2) { "even" } else { "odd" }.into()),
        key: Some("key".into()),
        operation: "chat".into(),
        provider: Some("openai".into()),
        model: Some("gpt".into()),
        attempts: 1,
        status: 200,
        usage,
        cost_micro_usd: Some(u64::from(number) * 10),
        ..Entry::default()
    }
}

fn all() -> UsageQuery {
    UsageQuery { from: 0, to: i64::MAX / 48 * 24, ..UsageQuery::default() }
}

pub(crate) async fn a_call_is_booked_once_however_often_it_is_told(bed: &Bed) {
    let store = bed.open().await;
    let calls: Vec<_> = (0..300).map(|number| call(number, BEGUN_US + u64::from(number))).collect();
    assert_eq!(store.book(&calls[..200]).await.unwrap(), 200);
    assert_eq!(store.book(&calls[100..]).await.unwrap(), 100);
    let twice = [calls[0].clone(), calls[0].clone(), call(300, BEGUN_US), call(300, BEGUN_US)];
    assert_eq!(store.book(&twice).await.unwrap(), 1);
    assert_eq!(store.book(&[]).await.unwrap(), 0);
    let sums = store.usage(&all()).await.unwrap();
    assert_eq!(sums.len(), 1, "{sums:?}");
    let sum = &sums[0];
    assert_eq!((sum.figure("calls"), sum.figure("refused"), sum.figure("output")), (301, 0, 2107));
    assert_eq!(sum.figure("cost_micro_usd"), (0..=300).sum::<i64>() * 10);
    assert_eq!(sum.figure("input"), (0..=300).sum::<i64>());
    let newest = store.calls(&CallsQuery { most: 1_000, ..CallsQuery::default() }).await.unwrap();
    assert_eq!(newest.len(), 301);
    assert!(newest.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    assert_eq!(newest[0], calls[299], "what was booked is what is read");
}

pub(crate) async fn what_an_engine_will_never_take_is_told_apart(bed: &Bed) {
    let store = bed.open().await;
    // PostgreSQL holds no NUL; what the program enters has none.
    let odd = [call(1, BEGUN_US), Entry { team: Some("a\0b".into()), ..call(2, BEGUN_US) }];
    match store.engine() {
        Engine::Sqlite => assert_eq!(store.book(&odd).await.unwrap(), 2),
        Engine::Postgres => {
            assert!(store.book(&odd).await.unwrap_err().is_about_values());
            assert_eq!(store.book(&odd[..1]).await.unwrap(), 1, "the one beside it was not booked");
        }
    }
    store.close().await;
    assert!(!store.book(&odd[..1]).await.unwrap_err().is_about_values());
}

pub(crate) async fn gateways_that_book_at_once_lose_nothing_and_count_nothing_twice(bed: &Bed) {
    let (one, other) = (bed.open().await, bed.open().await);
    let calls: Vec<_> = (0..400).map(|number| call(number, BEGUN_US + u64::from(number))).collect();
    for chunk in calls.chunks(50) {
        let (first, second) = tokio::join!(one.book(chunk), other.book(chunk));
        assert_eq!(first.unwrap() + second.unwrap(), 50);
    }
    let sums = one.usage(&all()).await.unwrap();
    assert_eq!(sums[0].figure("cost_micro_usd"), (0..400).sum::<i64>() * 10);
}

pub(crate) async fn sums_are_told_apart_by_what_is_asked_for(bed: &Bed) {
    let store = bed.open().await;
    let at = |number: u32| BEGUN_US + u64::from(number) * HOUR_US;
    let mut calls: Vec<_> = (0..40).map(|number| call(number, at(number))).collect();
    calls.push(Entry {
        attempts: 0,
        error: Some("requests_limit".into()),
        provider: None,
        model: None,
        cost_micro_usd: None,
        usage: [None; 14],
        ..call(40, at(0))
    });
    calls.push(Entry { error: Some("upstream_error".into()), status: 502, ..call(41, at(0)) });
    calls.push(Entry {
        cost_micro_usd: None,
        cost_unknown: Some("no_price".into()),
        left: true,
        estimated: true,
        ..call(42, at(0))
    });
    store.book(&calls).await.unwrap();
    let by = |by: &[By]| UsageQuery { by: by.to_vec(), ..all() };
    let teams = store.usage(&by(&[By::Team])).await.unwrap();
    assert_eq!(teams.iter().map(|line| line.of[0].1.as_str()).collect::<Vec<_>>(), ["odd", "even"]);
    let total: i64 = teams.iter().map(|line| line.figure("calls")).sum();
    assert_eq!(total, 41);
    let fates = |name: &str| teams.iter().map(|line| line.figure(name)).sum::<i64>();
    assert_eq!(
        ["refused", "failed", "left_early", "estimated", "unpriced"].map(fates),
        [1, 1, 1, 1, 1]
    );
    // The 25th has 14 hours left, the 26th all of them, the 27th two.
    let days = store.usage(&by(&[By::Day])).await.unwrap();
    assert_eq!(days.iter().map(|day| day.figure("calls")).collect::<Vec<_>>(), [15, 24, 2]);
    let first = (BEGUN_US / HOUR_US) as i64;
    let hours = UsageQuery { from: first + 1, to: first + 3, ..by(&[By::Hour, By::Model]) };
    let hours = store.usage(&hours).await.unwrap();
    assert_eq!(hours.len(), 2);
    assert_eq!(hours[0].of, [(By::Hour, (first + 1).to_string()), (By::Model, "gpt".to_owned())]);
    let odd =
        UsageQuery { team: Some("odd".into()), from: first + 1, to: first + 25, ..by(&[By::Day]) };
    let odd = store.usage(&odd).await.unwrap();
    assert_eq!(odd.iter().map(|day| day.figure("calls")).sum::<i64>(), 12);
    let nobody = UsageQuery { key: Some("nobody".into()), ..all() };
    assert_eq!(store.usage(&nobody).await.unwrap()[0].figure("calls"), 0);
}

pub(crate) async fn calls_are_pages_and_old_ones_go_while_their_sums_stay(bed: &Bed) {
    let store = bed.open().await;
    let day = 24 * HOUR_US;
    // Over the end of a year.
    let calls: Vec<_> =
        (0..90).map(|number| call(number, BEGUN_US + u64::from(number) * day)).collect();
    store.book(&calls).await.unwrap();
    let page = CallsQuery { most: 10, team: Some("even".into()), ..CallsQuery::default() };
    let first = store.calls(&page).await.unwrap();
    let second = CallsQuery { before: Some(first[9].id), ..page };
    let second = store.calls(&second).await.unwrap();
    assert_eq!((first[0].request_id.as_ref(), second[0].request_id.as_ref()), ("req-88", "req-68"));
    let one = CallsQuery { request_id: Some("req-5".into()), most: 10, ..CallsQuery::default() };
    assert_eq!(store.calls(&one).await.unwrap(), [calls[5].clone()]);
    store.forget_calls(20_270_110).await.unwrap();
    let left = CallsQuery { most: 1_000, ..CallsQuery::default() };
    let left = store.calls(&left).await.unwrap();
    assert_eq!(left.len(), 90 - 46, "from the tenth of January on");
    assert_eq!(left.last().unwrap().request_id, "req-46");
    assert_eq!(store.usage(&all()).await.unwrap()[0].figure("calls"), 90);
    // A month that was dropped can be written to again.
    assert_eq!(store.book(&calls[..1]).await.unwrap(), 1);
}

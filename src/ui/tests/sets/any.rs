//! Any network on any data is drawn at any size.

use proptest::prelude::*;

use super::*;
use crate::app::Direction;

fn names(count: usize, pattern: &'static str) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(pattern, count)
}

prop_compose! {
    fn stage()(
        name in "[a-z]{0,12}",
        channels in 0_usize..40,
        (height, width) in prop_oneof![Just((1, 1)), (0_usize..40, 0_usize..40)],
    ) -> StageInfo {
        let channels = if (height, width) == (1, 1) { 40 * channels } else { channels };
        StageInfo { name, shape: [channels, height, width] }
    }
}

prop_compose! {
    fn kind()(
        classes in (2_usize..=100).prop_flat_map(|count| names(count, "[A-Za-zß漢 ]{0,14}")),
        (height, width) in (1_usize..=70, 1_usize..=70),
        stages in prop::collection::vec(stage(), 0..60),
        parameters in (0_usize..80).prop_flat_map(|count| names(count, "[a-z]{1,9}[0-9]?.[a-z0-9_.]{0,20}")),
        filters in prop::option::of((0_usize..40, 1_usize..8)),
    ) -> Kind {
        let parameters = parameters.into_iter().map(|name| {
            ParameterInfo { shape: vec![name.len(); name.len() % 5], name }
        });
        Kind {
            set: DataInfo { name: "any".into(), shape: [1, height, width], classes },
            network: NetworkInfo { name: "any".into(), stages, parameters: parameters.collect() },
            filters,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_view_is_drawn_at_any_size(
        kind in kind(),
        sizes in prop::collection::vec((1_u16..230, 1_u16..75), 6),
        moves in prop::collection::vec(0_usize..8, 0..12),
        shades in any::<bool>(),
    ) {
        const MOVES: [Direction; 8] = [
            Direction::Up, Direction::Down, Direction::Left, Direction::Right,
            Direction::PageUp, Direction::PageDown, Direction::Home, Direction::End,
        ];
        let moves: Vec<Direction> = moves.into_iter().map(|place| MOVES[place]).collect();
        for view in View::ALL {
            let mut app = super::screens::moved(kind.showing(view), &moves);
            act(&mut app, Action::NextParameter);
            for &(width, height) in sizes.iter().chain(&[(1, 1), (40, 12), (80, 24)]) {
                let depth = if shades { Depth::True } else { Depth::None };
                let _ = screen(&app, width, height, depth);
                // Without the frame, which has a least size.
                let theme = Theme::new(depth);
                let area = Rect::new(0, 0, width, height);
                let mut buf = Buffer::empty(area);
                match view {
                    View::Overview => {
                        confusion::Confusion::new(&app, &theme).render(area, &mut buf);
                        digits::Digits::new(&app, &theme).render(area, &mut buf);
                    }
                    View::Loss | View::Machine => {}
                    View::Step => inspector::Inspector::new(&app, &theme).render(area, &mut buf),
                    View::Confusion => {
                        confusion::Confusion::new(&app, &theme).in_full().render(area, &mut buf);
                    }
                    View::Network => network::Network::new(&app, &theme).render(area, &mut buf),
                    View::Mistakes => mistakes::Mistakes::new(&app, &theme).render(area, &mut buf),
                    View::Draw => crate::ui::draw::Draw::new(&app, &theme).render(area, &mut buf),
                    View::Why => crate::ui::why::Why::new(&app, &theme).render(area, &mut buf),
                }
            }
        }
    }
}
